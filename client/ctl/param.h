/*
 * The parameters of operations, from the words of a command line.
 *
 * Each makes a JSON value that is yours to put, or reports and returns CTL_USAGE (CTL_FAILED when
 * a file cannot be read, and what a call says when describe() could not be asked).
 */
#ifndef ROWD_CTL_PARAM_H
#define ROWD_CTL_PARAM_H

#include <json-c/json.h>

#include "client/ctl/ctl.h"

/* The filter language, or JSON. */
enum ctl_exit param_filter(struct ctl *ctl, const char *table, const char *text, struct json_object **out);

/* JSON; name is told when it is none. */
enum ctl_exit param_json(const char *name, const char *text, struct json_object **out);

/* As param_json, but a bare word stands for itself. */
enum ctl_exit param_json_or_word(const char *name, const char *text, struct json_object **out);

/* A primary key: one word for each of its columns, typed by them; or one JSON array. */
enum ctl_exit param_key(struct ctl *ctl, const char *table, char **words, int nwords,
			struct json_object **out);

/* Assignments, added to set. */
enum ctl_exit param_set(struct ctl *ctl, const char *table, const char *text, struct json_object *set);

/* The same, as member `name` of map. */
enum ctl_exit param_filter_into(struct ctl *ctl, const char *table, const char *text, struct json_object *map,
				const char *name);

/* Where to go on behind: values of the columns of map's "order", then of the primary key, with commas
 * between them and typed by those columns; or a JSON array. */
enum ctl_exit param_after_into(struct ctl *ctl, const char *table, const char *text, struct json_object *map,
			       const char *name);

/* "total=sum(price),count": a map of names to [function, column]; or a JSON object. */
enum ctl_exit param_compute_into(const char *text, struct json_object *map, const char *name);

/* A file's whole content as JSON; "-" is stdin. */
enum ctl_exit param_file(const char *path, struct json_object **out);

#endif
