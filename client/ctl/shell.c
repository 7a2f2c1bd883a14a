#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <editline/readline.h>

#include "client/ctl/args.h"
#include "client/ctl/ctl.h"
#include "client/ctl/interrupt.h"
#include "client/ctl/words.h"
#include "proto/op.h"

enum { SHELL_HISTORY_LINES = 1000, SHELL_MAX_TABLES = 10000 };

/* What completion looks at: libedit's callbacks take no argument. */
static struct {
	struct ctl *ctl;
	struct rowd_result *tables; /* owned; the names, as last asked */
} completing;

/* ---- completion ---- */

/* The n-th name a command can begin with. */
static const char *command_name(size_t n)
{
	const struct verb *v = verb_at(n);
	size_t verbs = 0;

	if (v)
		return v->name;
	while (verb_at(verbs))
		verbs++;
	for (int i = 0; i < OP_COUNT_; i++)
		if (!verb_find(op_get((enum op_id)i)->name) && n-- == verbs)
			return op_get((enum op_id)i)->name;
	return NULL;
}

static char *next_command(const char *text, int state)
{
	static size_t n;
	const char *name;

	n = state ? n : 0;
	while ((name = command_name(n++)))
		if (!strncmp(name, text, strlen(text)))
			return strdup(name);
	return NULL;
}

static char *next_table(const char *text, int state)
{
	static size_t n;
	const struct rowd_item *list = completing.tables ? rowd_result_item(completing.tables) : NULL;

	n = state ? n : 0;
	while (n < rowd_item_count(list) && n < SHELL_MAX_TABLES) {
		const char *name = rowd_item_str(rowd_item_at(list, n++), NULL);

		if (name && !strncmp(name, text, strlen(text)))
			return strdup(name);
	}
	return NULL;
}

/* Ask for the tables, in silence; outside of a transaction, which a refusal would abort. */
static void tables_ask(void)
{
	struct rowd *conn = completing.ctl->conn;
	struct rowd_error err;

	if (!conn || rowd_in_transaction(conn))
		return;
	rowd_result_free(completing.tables);
	completing.tables = NULL;
	if (rowd_call(conn, "tables", NULL, NULL, &completing.tables, &err))
		completing.tables = NULL;
}

static char **complete(const char *text, int start, int end)
{
	const char *line = rl_line_buffer;

	(void)end;
	rl_attempted_completion_over = 1;
	if (strspn(line, " ") == (size_t)start)
		return rl_completion_matches(text, next_command);
	tables_ask();
	return rl_completion_matches(text, next_table);
}

/* ---- history ---- */

static bool history_path(char *out, size_t out_bytes)
{
	const char *home = getenv("HOME");
	int n = home ? snprintf(out, out_bytes, "%s/.rowctl_history", home) : -1;

	return n > 0 && (size_t)n < out_bytes;
}

static void history_load(void)
{
	char path[4096];

	using_history();
	stifle_history(SHELL_HISTORY_LINES);
	if (history_path(path, sizeof path))
		read_history(path);
}

/* Commands hold values: nobody else may read them. */
static void history_save(void)
{
	char path[4096];
	mode_t mask = umask(077);

	if (history_path(path, sizeof path))
		write_history(path);
	umask(mask);
}

/* ---- commands ---- */

/* The settings of the command line, which options behind a verb change for that command only. */
static enum ctl_exit command_run(struct ctl *ctl, int argc, char **argv)
{
	enum out_format format = ctl->out.format;
	bool format_given = ctl->format_given, quiet = ctl->quiet, verbose = ctl->verbose;
	int timeout_ms = ctl->timeout_ms;
	enum ctl_exit rc = ctl_command(ctl, argc, argv);

	ctl->out.format = format;
	ctl->format_given = format_given;
	ctl->quiet = quiet;
	ctl->verbose = verbose;
	if (ctl->timeout_ms != timeout_ms && ctl->conn)
		rowd_set_timeout(ctl->conn, timeout_ms);
	ctl->timeout_ms = timeout_ms;
	ctl_forget_schemas(ctl);
	interrupt_forget();
	if (!out_flush(&ctl->out))
		rc = ctl_fail("stdout cannot be written: %s", strerror(errno));
	return rc;
}

/* One line; *leave is set by quit and exit. */
static enum ctl_exit line_run(struct ctl *ctl, const char *line, bool *leave)
{
	enum ctl_exit rc = CTL_OK;
	struct words words;
	const char *why;

	if (!words_split(&words, line, &why))
		rc = ctl_fail("%s", why);
	else if (words.argc == 0 || words.argv[0][0] == '#')
		rc = CTL_OK;
	else if (!strcmp(words.argv[0], "quit") || !strcmp(words.argv[0], "exit"))
		*leave = true;
	else
		rc = command_run(ctl, words.argc, words.argv);
	words_fini(&words);
	return rc;
}

/* "main> ", and "main*> " inside a transaction. */
static void prompt(const struct ctl *ctl, char *out, size_t out_bytes)
{
	const char *database = ctl->database;

	if (!database && ctl->conn)
		database = rowd_item_str(rowd_item_get(rowd_hello(ctl->conn), "default"), NULL);
	snprintf(out, out_bytes, "%.40s%s> ", database ? database : "rowd",
		 ctl->conn && rowd_in_transaction(ctl->conn) ? "*" : "");
}

static enum ctl_exit run_terminal(struct ctl *ctl)
{
	bool leave = false;
	char text[64], *line;

	completing.ctl = ctl;
	rl_readline_name = (char *)"rowctl";
	rl_attempted_completion_function = complete;
	history_load();
	ctl_note(ctl, "rowctl %s. help tells what there is, quit (or Ctrl-D) leaves.", rowd_version());
	while (!leave) {
		prompt(ctl, text, sizeof text);
		line = readline(text);
		if (!line && interrupt_seen()) {
			interrupt_forget();
			clearerr(stdin);
			continue;
		}
		if (!line)
			break;
		if (line[strspn(line, " \t")])
			add_history(line);
		(void)line_run(ctl, line, &leave);
		free(line);
	}
	if (!leave)
		printf("\n");
	history_save();
	rowd_result_free(completing.tables);
	return CTL_OK;
}

static enum ctl_exit run_lines(struct ctl *ctl)
{
	enum ctl_exit rc = CTL_OK;
	unsigned long number = 0;
	bool leave = false;
	char *line = NULL;
	size_t cap = 0;

	while (rc == CTL_OK && !leave && getline(&line, &cap, stdin) >= 0) {
		number++;
		rc = line_run(ctl, line, &leave);
	}
	if (rc != CTL_OK)
		ctl_fail("line %lu of the commands failed; those behind it were not carried out", number);
	free(line);
	return rc;
}

enum ctl_exit shell_run(struct ctl *ctl)
{
	enum ctl_exit rc = ctl_connect(ctl);

	if (rc != CTL_OK)
		return rc;
	ctl->interactive = true;
	if (isatty(STDIN_FILENO)) {
		interrupt_defer(true);
		rc = run_terminal(ctl);
		interrupt_defer(false);
	} else {
		rc = run_lines(ctl);
	}
	ctl->interactive = false;
	return rc;
}
