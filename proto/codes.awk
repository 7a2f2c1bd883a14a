# Makes include/rowd_codes.h from proto/codes.def, so that the installed header needs no other.
BEGIN {
	print "/* Made from proto/codes.def. Every result a request can have. */"
	print "#ifndef ROWD_CODES_H"
	print "#define ROWD_CODES_H"
	print ""
	print "/* What became of a request. */"
	print "enum rowd_outcome { ROWD_NOT_APPLIED = 0, ROWD_APPLIED = 1, ROWD_UNKNOWN = 2 };"
	print ""
	print "/* The numbers stand on the wire and never change. */"
	print "enum rowd_code {"
	print "\tROWD_OK = 0,"
}
/^CODE\(/ {
	line = $0
	sub(/^CODE\(/, "", line)
	split(line, f, /, */)
	meaning = line
	sub(/^[^"]*"/, "", meaning)
	sub(/"\).*/, "", meaning)
	printf "\tROWD_E_%s = %s, /* %s */\n", f[1], f[3], meaning
}
END {
	print "};"
	print ""
	print "#endif"
}
