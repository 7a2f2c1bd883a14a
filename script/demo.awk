# apt-cache dumpavail | awk -v dir=DIR -f demo.awk: DIR/packages.jsonl and DIR/depends.jsonl, a row a line.

# Awks differ over backslashes in gsub().
function escaped(text, special, parts, n, i, out) {
	n = split(text, parts, special)
	out = parts[1]
	for (i = 2; i <= n; i++)
		out = out "\\" special parts[i]
	return out
}

function json(text) {
	if (index(text, "\\"))
		text = escaped(text, "\\")
	if (index(text, "\""))
		text = escaped(text, "\"")
	gsub(/\t/, " ", text)
	return "\"" text "\""
}

# The names in a Depends field, each once; of alternatives the first.
function depends(name, list, parts, n, i, want, seen) {
	n = split(list, parts, /, */)
	for (i = 1; i <= n; i++) {
		want = parts[i]
		sub(/^ +/, "", want)
		sub(/[ (:|].*/, "", want)
		if (want != "" && !((name, want) in seen)) {
			seen[name, want] = 1
			printf "{\"package\":%s,\"wants\":%s}\n", json(name), json(want) >(dir "/depends.jsonl")
		}
	}
}

function flush_package(name) {
	name = field["Package"]
	if (name != "" && !(name in done)) {
		done[name] = 1
		printf "{\"name\":%s,\"version\":%s,\"section\":%s,\"maintainer\":%s,\"size\":%d,\"summary\":%s}\n",
			json(name), json(field["Version"]), json(field["Section"]), json(field["Maintainer"]),
			field["Size"], json(field["Description"]) >(dir "/packages.jsonl")
		depends(name, field["Depends"])
	}
	split("", field)
}

/^$/ {
	flush_package()
	next
}

/^[A-Za-z-]+:/ {
	name = $0
	sub(/:.*/, "", name)
	sub(/-en$|-md5$/, "", name)
	text = $0
	sub(/^[^:]*: */, "", text)
	if (!(name in field))
		field[name] = text
}

END {
	flush_package()
}
