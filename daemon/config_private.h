/*
 * What the parts of the configuration know of each other.
 *
 * Thread: the main thread.
 */
#ifndef ROWD_CONFIG_PRIVATE_H
#define ROWD_CONFIG_PRIVATE_H

#include "daemon/config.h"

/* ---- config_setting.c: the rows of options.def and limits.h ---- */

enum setting_kind { SETTING_STR, SETTING_INT, SETTING_BOOL };

struct setting {
	const char *name;
	enum setting_kind kind;
	size_t offset;            /* of its member in struct config */
	const char *dflt_text;    /* STR */
	int64_t dflt;             /* INT, BOOL */
	int64_t least, most;      /* INT */
	bool reload;
	const char *meaning;
};

/* All of them; the last has no name. */
extern const struct setting config_settings[];

/* By name, len bytes of it, a dash as good as an underscore; NULL when there is none. */
const struct setting *setting_find(const char *name, size_t len);

/* Parse text into c's member. ROWD_E_BAD_REQUEST says what was expected, without the setting's name. */
ROWD_MUST_CHECK enum rowd_code setting_parse(struct config *c, const struct setting *s, const char *text,
					     struct err *err);

/* c's members from their defaults; those of type text must be NULL before. */
ROWD_MUST_CHECK enum rowd_code settings_default(struct config *c, struct err *err);
void settings_free(struct config *c);

/* Do a and b agree on it? */
bool setting_equal(const struct config *a, const struct config *b, const struct setting *s);

/* to's member becomes from's. */
ROWD_MUST_CHECK enum rowd_code setting_copy(struct config *to, const struct config *from,
					    const struct setting *s, struct err *err);

/* A whole number within bounds and nothing else; false when it is not. */
bool number_parse(const char *text, int64_t least, int64_t most, int64_t *out);

/* "true", "yes", "on" and their opposites; false when it is neither. */
bool bool_parse(const char *text, bool *out);

/* ---- config_database.c ---- */

/*
 * Add a database behind the others; strings are copied. durability NULL: the usual one.
 * ROWD_E_BAD_REQUEST for a name or a URL that will not do, or a name that is taken.
 */
ROWD_MUST_CHECK enum rowd_code database_add(struct config *c, const char *name, const char *url,
					    const char *durability, bool create, int64_t max_rows,
					    struct err *err);
struct config_database *database_find(const struct config *c, const char *name);

/* What databases take from the settings, when both are read. */
ROWD_MUST_CHECK enum rowd_code databases_complete(struct config *c, struct err *err);

/* The databases of from, with the max_rows of those that to has too, instead of to's. */
ROWD_MUST_CHECK enum rowd_code databases_keep(struct config *to, const struct config *from, struct err *err);
bool databases_equal(const struct config *a, const struct config *b);
void databases_free(struct config *c);

/* One database of this user's own, when there is none; its directory is made unless only checking. */
ROWD_MUST_CHECK enum rowd_code database_default(struct config *c, struct err *err);

/* ---- config_args.c ---- */

/* All of the command line: flags, --config, --database and settings. */
ROWD_MUST_CHECK enum rowd_code args_read(struct config *c, int argc, char **argv, struct err *err);
/* Its settings once more: they beat the file's. */
ROWD_MUST_CHECK enum rowd_code args_apply(struct config *c, struct err *err);

/* ---- config_file.c ---- */

/* The file at c->path. A database the command line has named already stays as it is. */
ROWD_MUST_CHECK enum rowd_code file_read(struct config *c, struct err *err);

/* Put "where: " in front of what err says. Returns its code. */
enum rowd_code err_prefix(struct err *err, const char *fmt, ...) ROWD_PRINTF(2, 3);

#endif
