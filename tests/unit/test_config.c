#include "config.h"

#include "daemon/config.h"

#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

enum { ARGS_MAX = 16 };

static struct err err;
static char directory[] = "/tmp/rowd-config-XXXXXX";
static char file[64];

/* Read a command line of words ended by NULL. */
static struct config *read_args(const char *first, ...)
{
	const char *argv[ARGS_MAX] = { "rowd", first };
	struct config *c = NULL;
	int argc = first ? 2 : 1;
	va_list ap;

	va_start(ap, first);
	while (first && (argv[argc] = va_arg(ap, const char *)) != NULL)
		argc++;
	va_end(ap);
	err_init(&err);
	if (config_read(argc, (char **)argv, &c, &err))
		return NULL;
	assert_int_equal(err.code, ROWD_OK);
	return c;
}

static void write_file(const char *text)
{
	FILE *f;

	if (!file[0]) {
		assert_non_null(mkdtemp(directory));
		snprintf(file, sizeof(file), "%s/r.conf", directory);
	}
	f = fopen(file, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static struct config *read_file(const char *text)
{
	write_file(text);
	return read_args("--check", "--config", file, NULL);
}

static void refuse_file(const char *text, int line, const char *words)
{
	struct config *c = read_file(text);
	char where[96];

	if (c)
		fail_msg("accepted: %s", text);
	snprintf(where, sizeof(where), "%s:%d: ", file, line);
	assert_int_equal(err.code, ROWD_E_BAD_REQUEST);
	if (strncmp(err.text, where, strlen(where)) != 0 || !strstr(err.text, words) ||
	    !strstr(err.text, "expected"))
		fail_msg("%s: \"%s\" where line %d and \"%s\" were due", text, err.text, line, words);
}

static void refuse_args(const char *words, const char *first, const char *second)
{
	assert_null(read_args(first, second, NULL));
	assert_int_equal(err.code, ROWD_E_BAD_REQUEST);
	if (!strstr(err.text, words))
		fail_msg("\"%s\" where \"%s\" was due", err.text, words);
}

TEST(every_option_has_its_default)
{
	struct config *c = read_args("--check", NULL);

	assert_non_null(c);
#define DEFAULT_STR(name, dflt) if (strcmp(#name, "socket") != 0) assert_string_equal(c->name, dflt)
#define DEFAULT_INT(name, dflt) assert_true(c->name == (dflt))
#define DEFAULT_BOOL(name, dflt) assert_true(c->name == (dflt))
#define OPTION(name, kind, dflt, least, most, reload, meaning) DEFAULT_##kind(name, dflt);
#include "daemon/options.def"
#undef OPTION
#define LIMIT(name, dflt, least, most, meaning) assert_true(c->limits.name == (dflt));
	ROWD_LIMITS(LIMIT)
#undef LIMIT
	config_free(c);
}

TEST(without_a_word_there_is_a_socket_and_one_database_of_ones_own)
{
	struct config *c = read_args("--check", NULL);

	assert_non_null(c);
	assert_non_null(strstr(c->socket, "/rowd/rowd.sock"));
	assert_int_equal(c->ndatabases, 1);
	assert_string_equal(c->databases[0].source.name, "main");
	assert_non_null(strstr(c->databases[0].source.url, "/rowd/rowd.db"));
	assert_true(c->databases[0].source.create);
	assert_int_equal(c->databases[0].max_rows, -1);
	assert_non_null(c->policy);
	config_free(c);
}

TEST(options_are_written_with_dashes_or_underscores_joined_or_apart)
{
	struct config *c = read_args("--busy-timeout-ms", "1", "--connect_timeout_ms=2", "--slow-ms=3",
				     "--frame_bytes", "5000", "--value-bytes=4000", "--check", NULL);

	assert_non_null(c);
	assert_int_equal(c->busy_timeout_ms, 1);
	assert_int_equal(c->connect_timeout_ms, 2);
	assert_int_equal(c->slow_ms, 3);
	assert_int_equal(c->limits.frame_bytes, 5000);
	config_free(c);
}

TEST(databases_of_the_command_line_are_served_in_their_order)
{
	struct config *c = read_args("--database", "b=sqlite:///tmp/b=1.db", "--database=a=sqlite:///tmp/a.db",
				     "--check", NULL);

	assert_non_null(c);
	assert_int_equal(c->ndatabases, 2);
	assert_string_equal(c->databases[0].source.name, "b");
	assert_string_equal(c->databases[0].source.url, "sqlite:///tmp/b=1.db");
	assert_string_equal(c->databases[1].source.name, "a");
	assert_string_equal(c->databases[1].source.durability, "full");
	config_free(c);
}

TEST(mistakes_on_the_command_line_are_named)
{
	char path[128];

	refuse_args("--colour: no such option", "--colour", "red");
	refuse_args("\"colour\" is not an option", "colour", NULL);
	refuse_args("\"-x\" is not an option", "-x", NULL);
	refuse_args("--loops: a value is missing", "--loops", NULL);
	refuse_args("--loops: \"two\"; expected a whole number from 0 to 256", "--loops", "two");
	refuse_args("\"257\"", "--loops", "257");
	refuse_args("\"-1\"", "--loops", "-1");
	refuse_args("\"\"", "--loops", "");
	refuse_args("\"1 \"", "--loops", "1 ");
	refuse_args("\"0x1\"", "--loops", "0x1");
	refuse_args("\"99999999999999999999\"", "--loops", "99999999999999999999");
	refuse_args("expected NAME=URL", "--database", "main");
	refuse_args("expected NAME=URL", "--database", "=sqlite:///x");
	refuse_args("expected NAME=URL", "--database", "main=");
	refuse_args("expected a letter", "--database", "a.b=sqlite:///x");
	refuse_args("no driver", "--database", "main=oracle://x");
	refuse_args("password_file", "--database", "main=mysql://me:secret@host/db");
	refuse_args("--check takes no value", "--check=1", NULL);
	refuse_args("expected permissions in octal", "--socket-mode", "0999");
	refuse_args("expected a group", "--socket-group", "no_such_group_here");
	refuse_args("expected full or normal", "--durability", "mostly");
	refuse_args("expected error, warn", "--log-level", "loud");
	refuse_args("there is a database a already", "--database=a=sqlite:///x", "--database=a=sqlite:///y");
	memset(path, 'x', sizeof(path));
	path[108] = '\0';
	refuse_args("108 bytes; a socket's has 107", "--socket", path);
	refuse_args("/no/such/file", "--config", "/no/such/file");
	refuse_args("/tmp", "--config", "/tmp");
}

TEST(a_password_is_not_repeated_when_it_is_refused)
{
	refuse_args("password_file", "--database", "main=mysql://me:secret@host/db");
	assert_null(strstr(err.text, "secret"));
}

TEST(a_file_says_all_that_the_command_line_does_and_more)
{
	struct config *c = read_file(
		"# a comment\n"
		"loops = 2\n"
		"socket_mode = 0600\n"
		"in_flight = 5\n"
		"log_level = \"debug\"\n"
		"database main { url = \"sqlite:///tmp/m.db\" durability = normal max_rows = 5 create = no }\n"
		"database shop { url = \"sqlite:///tmp/s.db\" }\n");

	assert_non_null(c);
	assert_string_equal(c->path, file);
	assert_int_equal(c->loops, 2);
	assert_int_equal(config_socket_mode(c), 0600);
	assert_int_equal(c->limits.in_flight, 5);
	assert_string_equal(c->log_level, "debug");
	assert_int_equal(c->ndatabases, 2);
	assert_string_equal(c->databases[0].source.durability, "normal");
	assert_int_equal(c->databases[0].max_rows, 5);
	assert_false(c->databases[0].source.create);
	assert_string_equal(c->databases[1].source.durability, "full");
	assert_true(c->databases[1].source.create);
	config_free(c);
}

TEST(the_command_line_beats_the_file)
{
	struct config *c;

	write_file("loops = 2\nreaders = 3\n"
		   "database main { url = \"sqlite:///tmp/m.db\" }\ndatabase shop { url = \"sqlite:///tmp/s.db\" }\n");
	c = read_args("--loops", "4", "--config", file, "--database", "shop=sqlite:///tmp/other.db", "--check",
		      NULL);
	assert_non_null(c);
	assert_int_equal(c->loops, 4);
	assert_int_equal(c->readers, 3);
	assert_int_equal(c->ndatabases, 2);
	assert_string_equal(c->databases[0].source.name, "shop");
	assert_string_equal(c->databases[0].source.url, "sqlite:///tmp/other.db");
	assert_string_equal(c->databases[1].source.name, "main");
	config_free(c);
}

TEST(mistakes_in_the_file_have_file_and_line_and_what_was_expected)
{
	refuse_file("loops = 1\ncolour = red\n", 2, "colour");
	refuse_file("loops 1\n", 1, "missing equal sign");
	refuse_file("\n\nloops = four\n", 3, "\"four\"");
	refuse_file("loops = 999\n", 1, "0 to 256");
	refuse_file("loops = 1\nloops = 2\n", 2, "twice");
	refuse_file("loops = {1}\n", 1, "unexpected token");
	refuse_file("loops += 1\n", 1, "append");
	refuse_file("loops =", 1, "premature");
	refuse_file("loops = \"1\n", 2, "premature");
	refuse_file("}\n", 1, "closing brace");
	refuse_file("database {\n", 1, "title");
	refuse_file("database x\n", 2, "premature");
	refuse_file("database x loops\n", 1, "opening brace");
	refuse_file("loops = 1\ndatabase x {\n\turl = \"sqlite:///x\" # }\n", 2, "not closed");
	refuse_file("database x { }\n", 1, "no url");
	refuse_file("database x { colour = red }\n", 1, "url, durability");
	refuse_file("database x {\n\turl = \"oracle://x\"\n}\n", 3, "no driver");
	refuse_file("database 9 { url = \"sqlite:///x\" }\n", 1, "a letter");
	refuse_file("database x { url = \"sqlite:///x\" url = \"sqlite:///y\" }\n", 1, "twice");
	refuse_file("database x { url = \"sqlite:///x\" }\ndatabase x { url = \"sqlite:///y\" }\n", 2, "duplicate");
	refuse_file("database x { url = \"sqlite:///x\" create = maybe }\n", 1, "true or false");
	refuse_file("database x { url = \"sqlite:///x\" max_rows = -2 }\n", 1, "number of rows");
	refuse_file("database x { url = \"sqlite:///x\" durability = 1 }\n", 1, "full or normal");
}

TEST(mistakes_in_the_policy_have_file_and_line_and_what_was_expected)
{
	refuse_file("roles x { }\n", 1, "roles");
	refuse_file("role x { }\n", 1, "nobody's");
	refuse_file("role x { uids = {} }\n", 1, "nobody's");
	refuse_file("role x {\n\tuids = {0,\n\tno_such_user_here}\n}\n", 3, "no_such_user_here");
	refuse_file("role x { gids = {no_such_group_here} }\n", 1, "a group");
	refuse_file("role x { uids = {-1} }\n", 1, "a user");
	refuse_file("role x { uids = {4294967295} }\n", 1, "a user");
	refuse_file("role x { uids = {1} }\nrole x { uids = {2} }\n", 2, "duplicate");
	refuse_file("grant { }\n", 1, "no role");
	refuse_file("grant { role = x }\n", 1, "\"x\"");
	refuse_file("role x { uids = {1} }\ngrant { role = x }\n", 2, "no ops");
	refuse_file("role x { uids = {1} }\ngrant { role = x ops = {reed} }\n", 2, "reed");
	refuse_file("role x { uids = {1} }\ngrant { role = x ops = {read}\ndatabase = nix }\n", 3, "nix");
	refuse_file("role x { uids = {1} }\ngrant { role = x role = x ops = {read} }\n", 2, "twice");
	refuse_file("role x { uids = {1} }\ngrant { role = x ops = {read} max_rows = some }\n", 2, "some");
	refuse_file("role x { uids = {1} }\ndeny { role = x ops = {read} max_rows = 1 }\n", 2, "max_rows");
}

TEST(a_file_that_is_no_text_is_refused)
{
	struct config *c = read_file("");
	FILE *f;

	assert_non_null(c);
	config_free(c);
	f = fopen(file, "w");
	fwrite("loops = 1\n\0\n", 1, 12, f);
	fclose(f);
	refuse_args("NUL", "--config", file);
	refuse_args("too long", "--config", "/dev/zero");
}

TEST(roles_are_given_to_names_and_numbers)
{
	struct caller root = { .uid = 0, .gid = 99 }, other = { .uid = 4711, .gid = 98 };
	struct config *c = read_file(
		"role a { uids = {root, 4711} }\n"
		"role b { gids = {98} }\n"
		"grant { role = a ops = {read} }\n"
		"grant { role = b database = main tables = {users, notes} ops = {\"*\", delete_all} max_rows = 9 }\n"
		"deny { role = b tables = {notes} ops = {delete} }\n");

	assert_non_null(c);
	policy_resolve(c->policy, &root);
	policy_resolve(c->policy, &other);
	assert_int_equal(policy_check(&root, PERM_READ, "main", "users", &err), ROWD_OK);
	assert_int_equal(policy_check(&root, PERM_WRITE, "main", "users", &err), ROWD_E_DENIED);
	assert_int_equal(policy_check(&other, PERM_DELETE_ALL, "main", "notes", &err), ROWD_OK);
	assert_int_equal(policy_check(&other, PERM_DELETE, "main", "users", &err), ROWD_OK);
	assert_int_equal(policy_check(&other, PERM_DELETE, "main", "notes", &err), ROWD_E_DENIED);
	assert_int_equal(policy_check(&other, PERM_SCHEMA, "main", "notes", &err), ROWD_E_DENIED);
	assert_int_equal(policy_max_rows(&other, "main", "users"), 9);
	config_free(c);
}

TEST(what_print_defaults_prints_is_a_config_file_that_changes_nothing)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct config *c, *plain = read_args("--check", NULL);

	config_print_defaults(out);
	fclose(out);
	c = read_file(text);
	if (!c)
		fail_msg("%s", err.text);
	assert_string_equal(c->socket, plain->socket);
	assert_int_equal(c->limits.reply_bytes, plain->limits.reply_bytes);
	assert_int_equal(c->max_rows, plain->max_rows);
#define OPTION(name, kind, dflt, least, most, reload, meaning) assert_non_null(strstr(text, "\n" #name " = "));
#include "daemon/options.def"
#undef OPTION
#define LIMIT(name, dflt, least, most, meaning) assert_non_null(strstr(text, "\n" #name " = "));
	ROWD_LIMITS(LIMIT)
#undef LIMIT
	config_free(c);
	config_free(plain);
	free(text);
}

TEST(a_reload_takes_what_it_can_and_names_what_needs_a_restart)
{
	struct config *old = read_file("loops = 1\nslow_ms = 5\nin_flight = 7\n"
				       "database main { url = \"sqlite:///tmp/m.db\" max_rows = 1 }\n");
	struct config *c = NULL;
	struct buf warnings;

	assert_non_null(old);
	buf_init(&warnings, 4096);
	write_file("loops = 2\nslow_ms = 6\nin_flight = 8\n"
		   "database main { url = \"sqlite:///tmp/other.db\" max_rows = 2 }\n");
	assert_int_equal(config_reload(old, &c, &warnings, &err), ROWD_OK);
	buf_add_char(&warnings, '\0');
	assert_string_equal(warnings.data, "loops is changed by a restart only\n"
					   "databases are changed by a restart only\n");
	assert_int_equal(c->loops, 1);
	assert_int_equal(c->slow_ms, 6);
	assert_int_equal(c->limits.in_flight, 8);
	assert_string_equal(c->databases[0].source.url, "sqlite:///tmp/m.db");
	assert_int_equal(c->databases[0].max_rows, 2);
	config_free(old);
	assert_string_equal(c->databases[0].source.name, "main");
	config_free(c);
	buf_fini(&warnings);
}

TEST(a_reload_of_a_broken_file_changes_nothing)
{
	struct config *old = read_file("loops = 1\n"), *c = NULL;
	struct buf warnings;

	buf_init(&warnings, 4096);
	write_file("loops = one\n");
	assert_int_equal(config_reload(old, &c, &warnings, &err), ROWD_E_BAD_REQUEST);
	assert_null(c);
	assert_int_equal(old->loops, 1);
	config_free(old);
	buf_fini(&warnings);
}

TEST(the_default_database_is_where_xdg_says_and_its_url_is_escaped)
{
	enum { SOMEBODY = 4711 };
	char data[64], made[96];
	bool root = geteuid() == 0;    /* root's is the system's: be somebody for a moment */
	struct config *c;
	struct stat st;

	write_file("");
	snprintf(data, sizeof(data), "%s/da%%ta?", directory);
	snprintf(made, sizeof(made), "%s/rowd", data);
	setenv("XDG_DATA_HOME", data, 1);
	if (root) {
		assert_int_equal(chown(directory, SOMEBODY, (gid_t)-1), 0);
		assert_int_equal(seteuid(SOMEBODY), 0);
	}
	c = read_args("--loops=1", NULL);
	if (root)
		assert_int_equal(seteuid(0), 0);
	unsetenv("XDG_DATA_HOME");
	if (!c)
		fail_msg("%s", err.text);
	assert_non_null(strstr(c->databases[0].source.url, "/da%25ta%3F/rowd/rowd.db"));
	assert_int_equal(stat(made, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	config_free(c);
}

TEST(nothing_is_left_behind)
{
	char command[128];

	if (file[0]) {
		snprintf(command, sizeof(command), "rm -rf '%s'", directory);
		assert_int_equal(system(command), 0);
	}
}
