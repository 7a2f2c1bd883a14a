/*
 * What a column's words in information_schema mean: its type in rowd, and how it is kept.
 */
#include "config.h"

#include <string.h>

#include "daemon/db/mysql_schema.h"

enum { BYTES_OF_CHARACTER = 4, FRACTION_OF_ROWD = 6 };

const char mydb_columns_query[] =
	"SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE, COLUMN_DEFAULT, EXTRA, COLLATION_NAME, "
	"CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION, NUMERIC_SCALE, DATETIME_PRECISION, COLUMN_COMMENT "
	"FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() ORDER BY ORDINAL_POSITION";

/* ---- how it is kept ---- */

enum kept { KEPT_INT, KEPT_FLOAT, KEPT_DECIMAL, KEPT_TEXT, KEPT_BYTES, KEPT_TIME, KEPT_OTHERWISE };

/* The kinds of columns that rowd knows; `bounded`: the length counts. */
static const struct {
	const char *kind;
	enum kept kept;
	bool bounded;
	enum oddity oddity;
} kinds[] = {
	{ "bigint", KEPT_INT, false, ODD_NOTHING },      { "int", KEPT_INT, false, ODD_RANGE },
	{ "mediumint", KEPT_INT, false, ODD_RANGE },     { "smallint", KEPT_INT, false, ODD_RANGE },
	{ "tinyint", KEPT_INT, false, ODD_RANGE },       { "year", KEPT_INT, false, ODD_RANGE },
	{ "double", KEPT_FLOAT, false, ODD_NOTHING },    { "float", KEPT_FLOAT, false, ODD_RANGE },
	{ "decimal", KEPT_DECIMAL, false, ODD_NOTHING }, { "varchar", KEPT_TEXT, true, ODD_NOTHING },
	{ "char", KEPT_TEXT, true, ODD_PADDING },        { "longtext", KEPT_TEXT, false, ODD_NOTHING },
	{ "mediumtext", KEPT_TEXT, false, ODD_RANGE },   { "text", KEPT_TEXT, false, ODD_RANGE },
	{ "tinytext", KEPT_TEXT, false, ODD_RANGE },     { "varbinary", KEPT_BYTES, true, ODD_NOTHING },
	{ "binary", KEPT_BYTES, true, ODD_PADDING },     { "longblob", KEPT_BYTES, false, ODD_NOTHING },
	{ "mediumblob", KEPT_BYTES, false, ODD_RANGE },  { "blob", KEPT_BYTES, false, ODD_RANGE },
	{ "tinyblob", KEPT_BYTES, false, ODD_RANGE },    { "datetime", KEPT_TIME, false, ODD_NOTHING },
	{ "timestamp", KEPT_TIME, false, ODD_RANGE },
};

struct storage {
	enum kept kept;
	uint32_t length; /* of a bounded text or bytes; 0: unbounded */
	unsigned digits, scale, fraction;
	bool one_digit; /* TINYINT(1) */
	bool collated;  /* otherwise than rowd's texts */
	enum oddity oddity;
};

static struct storage storage_of(const struct describing *d, const struct value *row)
{
	const char *collation = d->conn->dialect->text_collation;
	struct storage s = {
		.kept = KEPT_OTHERWISE,
		.digits = (unsigned)mydb_number_of(&row[COLUMN_DIGITS]),
		.scale = (unsigned)mydb_number_of(&row[COLUMN_SCALE]),
		.fraction = (unsigned)mydb_number_of(&row[COLUMN_FRACTION]),
		.one_digit = mydb_text_is(&row[COLUMN_WORDS], "tinyint(1)"),
		.collated = row[COLUMN_COLLATION].kind == VALUE_TEXT &&
			    !(collation && mydb_text_is(&row[COLUMN_COLLATION], collation)),
	};
	size_t i;

	for (i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (mydb_text_is(&row[COLUMN_KIND], kinds[i].kind)) {
			s.kept = kinds[i].kept;
			s.oddity = kinds[i].oddity;
			if (kinds[i].bounded)
				s.length = (uint32_t)mydb_number_of(&row[COLUMN_LENGTH]);
		}
	if (mydb_text_has(&row[COLUMN_WORDS], "unsigned") || mydb_text_has(&row[COLUMN_WORDS], "zerofill"))
		s.oddity = ODD_RANGE;
	if (s.kept == KEPT_TIME && s.fraction != FRACTION_OF_ROWD)
		s.oddity = ODD_FRACTION;
	if (s.kept == KEPT_TEXT && s.collated && s.oddity == ODD_NOTHING)
		s.oddity = ODD_COLLATION;
	return s;
}

/* ---- its type ---- */

static struct type foreign_type(const struct storage *s)
{
	switch (s->kept) {
	case KEPT_INT:
		return (struct type){ .kind = s->one_digit ? TYPE_BOOL : TYPE_INT };
	case KEPT_FLOAT:
		return (struct type){ .kind = TYPE_FLOAT };
	case KEPT_DECIMAL:
		if (s->digits <= DECIMAL_MAX_DIGITS)
			return (struct type){ .kind = TYPE_DECIMAL,
					      .digits = (uint8_t)s->digits,
					      .scale = (uint8_t)s->scale };
		break;
	case KEPT_TEXT:
		return (struct type){ .kind = TYPE_TEXT, .length = s->length };
	case KEPT_BYTES:
		return (struct type){ .kind = TYPE_BYTES, .length = s->length };
	case KEPT_TIME:
		return (struct type){ .kind = TYPE_TIME };
	case KEPT_OTHERWISE:
		break;
	}
	return (struct type){ .kind = TYPE_ANY };
}

/* Is a column so kept one that rowd made for the type? */
static bool is_kept_as(const struct storage *s, const struct type *t)
{
	switch (t->kind) {
	case TYPE_INT:
		return s->kept == KEPT_INT && s->oddity == ODD_NOTHING;
	case TYPE_BOOL:
		return s->kept == KEPT_INT && s->one_digit;
	case TYPE_FLOAT:
		return s->kept == KEPT_FLOAT && s->oddity == ODD_NOTHING;
	case TYPE_DECIMAL:
		return s->kept == KEPT_DECIMAL && s->digits == t->digits && s->scale == t->scale &&
		       s->oddity == ODD_NOTHING;
	case TYPE_TEXT:
		return (s->kept == KEPT_TEXT && s->length == t->length && s->oddity != ODD_PADDING) ||
		       (s->kept == KEPT_BYTES && s->length == t->length * BYTES_OF_CHARACTER);
	case TYPE_BYTES:
		return s->kept == KEPT_BYTES && s->length == t->length && s->oddity == ODD_NOTHING;
	case TYPE_TIME:
		return s->kept == KEPT_TIME && s->oddity == ODD_NOTHING;
	case TYPE_ANY:
		break;
	}
	return false;
}

/* The comment of a column of rowd's: "rowd text(40)". */
static bool type_of_comment(const struct value *comment, struct type *out)
{
	static const char mark[] = "rowd ";
	size_t n = strlen(mark);
	struct err ignored;

	err_init(&ignored);
	return comment->kind == VALUE_TEXT && comment->u.s.len > n &&
	       memcmp(comment->u.s.data, mark, n) == 0 &&
	       type_parse(comment->u.s.data + n, comment->u.s.len - n, out, &ignored) == ROWD_OK;
}

/* ---- the whole column ---- */

struct nature mydb_judge_column(struct describing *d, struct building *b, struct column *column,
				const struct value *row)
{
	struct storage s = storage_of(d, row);
	struct nature nature = { .oddity = s.oddity };
	struct type type;

	column->type = foreign_type(&s);
	if (type_of_comment(&row[COLUMN_COMMENT], &type) && is_kept_as(&s, &type)) {
		column->type = type;
		nature.typed = true;
		b->ntyped++;
		if (type.kind == TYPE_BOOL)
			nature.oddity = ODD_NOTHING;
		if (type.kind == TYPE_TEXT && (s.kept == KEPT_BYTES) != d->conn->dialect->text_is_bytes)
			nature.oddity = ODD_BYTES;
	}
	column->generated = mydb_text_has(&row[COLUMN_EXTRA], "auto_increment");
	column->computed = mydb_text_has(&row[COLUMN_EXTRA], "VIRTUAL") ||
			   mydb_text_has(&row[COLUMN_EXTRA], "STORED") ||
			   mydb_text_has(&row[COLUMN_EXTRA], "PERSISTENT");
	nature.follows_updates = mydb_text_has(&row[COLUMN_EXTRA], "on update");
	nature.bytes = s.kept == KEPT_BYTES;
	return nature;
}

void mydb_judge_storage(struct describing *d, struct table *t, const struct column *column,
			const struct nature *nature)
{
	const char *name = column->name;

	if (nature->follows_updates)
		catalog_add_reason(d->catalog, t, "column %s changes with every update", name);
	if (column->type.kind == TYPE_ANY)
		return;
	switch (nature->oddity) {
	case ODD_NOTHING:
		break;
	case ODD_RANGE:
		catalog_add_reason(d->catalog, t, "column %s does not hold the range of its type", name);
		break;
	case ODD_COLLATION:
		catalog_add_reason(d->catalog, t, "column %s compares by another collation", name);
		break;
	case ODD_PADDING:
		catalog_add_reason(d->catalog, t, "column %s is padded", name);
		break;
	case ODD_FRACTION:
		catalog_add_reason(d->catalog, t, "column %s does not hold microseconds", name);
		break;
	case ODD_BYTES:
		catalog_add_reason(d->catalog, t, "column %s is kept as another kind of server would", name);
		break;
	}
}
