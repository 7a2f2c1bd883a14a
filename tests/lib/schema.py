"""Short ways to write down tables."""


def column(name, words):
    """A column from a type with marks: "!" says not null, "+" says generated."""
    c = {"name": name, "type": words.rstrip("!+")}
    if "+" in words:
        c["auto"] = True
    if "!" in words:
        c["null"] = False
    return c


def schema(columns, key=("id",), defaults=None, **rest):
    """A create_table schema from {"id": "int", "name": "text(20)!"}."""
    out = []
    for name, words in columns.items():
        c = column(name, words)
        if defaults and name in defaults:
            c["default"] = defaults[name]
        out.append(c)
    return dict({"columns": out, "primary_key": list(key)}, **rest)


def foreign_key(columns, table, references=("id",), on_delete=None):
    fk = {"columns": list(columns), "table": table, "references": list(references)}
    if on_delete:
        fk["on_delete"] = on_delete
    return fk
