#include "config.h"

#include "client/ctl/help.h"

#include <stdio.h>
#include <string.h>

#include "client/ctl/args.h"
#include "client/ctl/ctl.h"
#include "proto/op.h"

enum { HELP_COLUMN = 34 };

static const char filter_page[] =
	"A filter is one word of the command line, so it goes in single quotes.\n"
	"\n"
	"  age > 30                          = != < <= > >=\n"
	"  name = \"Ada\" and not age = 36     and, or, not, ( )\n"
	"  id in (1, 2, 3)                   in, not in\n"
	"  id in @ids.txt                    one value a line; @- is stdin\n"
	"  age between 18 and 65             both ends belong to it\n"
	"  name like \"a%\"                    % any text, _ one character, \\% and \\_ themselves\n"
	"  name prefix \"A\"                   prefix, suffix, contains\n"
	"  email is null                     is null, is not null; is, is not compare null-safely\n"
	"  spent > earned                    another column, written bare\n"
	"  id in (select user_id from bans where until > \"2026-01-01T00:00:00Z\")\n"
	"  not exists (from bans where user_id = outer.id)\n"
	"\n"
	"Text goes in \"...\" or '...', with \\n \\t \\\" \\' \\\\ \\u20ac; bytes are x'6869'; times are text as\n"
	"RFC 3339 writes them, or a date alone. Keywords may be in any case; a name that is also a\n"
	"keyword goes in `backquotes`. What begins with { or [ is taken as the protocol's own filter, in JSON.\n";

static void line(const char *left, const char *right)
{
	printf("  %-*s %s\n", HELP_COLUMN, left, right);
}

/* "-c, --columns COLUMNS   which columns" */
static void option_line(const struct arg_def *def)
{
	char left[80];

	snprintf(left, sizeof left, "%c%c%s --%s%s%s", def->letter ? '-' : ' ',
		 def->letter ? def->letter : ' ', def->letter ? "," : " ", def->name, def->value ? " " : "",
		 def->value ? def->value : "");
	line(left, def->meaning);
}

static void verb_line(const struct verb *verb)
{
	char left[120];

	snprintf(left, sizeof left, "%s %s", verb->name, verb->usage);
	line(left, verb->summary);
}

/* Does a verb stand for this operation? */
static bool has_verb(const struct op *op)
{
	const struct verb *v;
	size_t len = strlen(op->name);

	for (size_t i = 0; (v = verb_at(i)); i++) {
		const char *ops = v->ops;

		if (verb_find(op->name) == v)
			return true;
		while (ops && *ops) {
			size_t n = strcspn(ops, " ");

			if (n == len && !memcmp(ops, op->name, n))
				return true;
			ops += n;
			ops += strspn(ops, " ");
		}
	}
	return false;
}

void help_overview(void)
{
	const struct verb *v;

	printf("usage: rowctl [OPTION...] VERB [ARGUMENT...]\n"
	       "       rowctl [OPTION...]          commands from the terminal, one a line\n\nOptions:\n");
	for (const struct arg_def *def = global_options; def->name; def++)
		option_line(def);
	printf("      --version                      the version\n\nVerbs:\n");
	for (size_t i = 0; (v = verb_at(i)); i++)
		verb_line(v);
	printf("\nOther operations, said the same way:\n");
	for (int i = 0; i < OP_COUNT_; i++) {
		const struct op *op = op_get((enum op_id)i);
		struct verb made;
		char usage[128], name[48];

		if (has_verb(op))
			continue;
		op_verb(op, &made, usage, sizeof usage);
		snprintf(name, sizeof name, "%s", op->name);
		for (char *p = name; *p; p++)
			*p = *p == '_' ? '-' : *p;
		made.name = name;
		verb_line(&made);
	}
	printf("\nMore: rowctl help VERB, rowctl help filter, rowctl help errors, rowctl(1)\n"
	       "Exit codes: 0 done, 1 failed, 2 usage, 3 cannot connect, 4 denied, 6 outcome unknown\n");
}

/* What the operations behind a verb are on the wire. */
static void help_ops(const char *ops)
{
	while (ops && *ops) {
		size_t n = strcspn(ops, " ");
		const struct op *op = op_find(ops, n);

		if (op) {
			printf("  %s(", op->name);
			for (unsigned i = 0; i < op->nparams; i++)
				printf("%s%s%s", i ? ", " : "", op->params[i].name,
				       i >= op->nrequired ? "?" : "");
			printf("%s)  %s\n", op->options ? (op->nparams ? ", {options}" : "{options}") : "",
			       op->summary);
			printf("    needs the grant: %s\n", op_permission_name(op->permission));
		}
		ops += n;
		ops += strspn(ops, " ");
	}
}

static void help_verb(const struct verb *verb)
{
	struct args a;

	printf("usage: rowctl %s%s%s%s\n\n%s\n", verb->name, *verb->usage ? " " : "", verb->usage,
	       verb->options || verb->ops ? " [OPTION...]" : "", verb->summary);
	if (verb->details)
		printf("\n%s\n", verb->details);
	args_defs(&a, verb);
	if (a.ndefs)
		printf("\nOptions:\n");
	for (size_t i = 0; i < a.ndefs; i++)
		option_line(&a.defs[i]);
	args_fini(&a);
	if (verb->ops) {
		printf("\nOperations:\n");
		help_ops(verb->ops);
	}
}

static void help_errors(void)
{
	static const struct {
		const char *name, *meaning;
		int number;
	} codes[] = {
#define CODE(NAME, name, number, outcome, retry, meaning) { #name, meaning, number },
#include "proto/codes.def"
#undef CODE
	};

	printf("An error says whether the request took effect: not_applied, or unknown (exit code 6).\n\n");
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		printf("  %3d %-17s %s\n", codes[i].number, codes[i].name, codes[i].meaning);
}

bool help_show(const char *name)
{
	const struct verb *verb = verb_find(name);
	const struct op *op = verb ? NULL : verb_op(name);
	struct verb made;
	char usage[128];

	if (verb) {
		help_verb(verb);
	} else if (op) {
		op_verb(op, &made, usage, sizeof usage);
		help_verb(&made);
	} else if (!strcmp(name, "filter") || !strcmp(name, "filters")) {
		fputs(filter_page, stdout);
	} else if (!strcmp(name, "errors")) {
		help_errors();
	} else {
		return false;
	}
	return true;
}
