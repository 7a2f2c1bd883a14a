# Units, users, directories and completions.
