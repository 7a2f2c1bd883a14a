#include "config.h"

#include "proto/time.h"

#include <stdbool.h>
#include <string.h>

#include "proto/value.h"

#define MICROS_PER_SECOND INT64_C(1000000)
#define MICROS_PER_DAY    (INT64_C(86400) * MICROS_PER_SECOND)

/* What is still to be read. */
struct text {
	const char *s, *end;
};

static bool take_char(struct text *t, char c)
{
	if (t->s == t->end || *t->s != c)
		return false;
	t->s++;
	return true;
}

/* Exactly n digits, from least to most. */
static bool take_number(struct text *t, int n, int least, int most, int *out)
{
	int v = 0;

	for (; n > 0; n--, t->s++) {
		if (t->s == t->end || *t->s < '0' || *t->s > '9')
			return false;
		v = v * 10 + (*t->s - '0');
	}
	*out = v;
	return v >= least && v <= most;
}

static int month_days(int year, int month)
{
	static const signed char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

/* Days from 1970-01-01, counted in years that begin in March so that the leap day comes last. */
static int64_t days_from_date(int year, int month, int day)
{
	int64_t y = year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static void date_from_days(int64_t days, int *year_out, int *month_out, int *day_out)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t month_from_march = (5 * doy + 2) / 153;

	*day_out = (int)(doy - (153 * month_from_march + 2) / 5 + 1);
	*month_out = (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
	*year_out = (int)(yoe + era * 400) + (*month_out <= 2);
}

static bool take_date(struct text *t, int *year_out, int64_t *days_out)
{
	int year, month, day;

	if (!take_number(t, 4, 0, 9999, &year) || !take_char(t, '-') || !take_number(t, 2, 1, 12, &month) ||
	    !take_char(t, '-') || !take_number(t, 2, 1, month_days(year, month), &day))
		return false;
	*year_out = year;
	*days_out = days_from_date(year, month, day);
	return true;
}

/* ".123456", or nothing. *finer_out: a digit past the sixth is not 0. */
static bool take_decimals(struct text *t, int *micros_out, bool *finer_out)
{
	int micros = 0, unit = 100000;
	const char *first;

	*finer_out = false;
	*micros_out = 0;
	if (!take_char(t, '.'))
		return true;
	for (first = t->s; t->s < t->end && *t->s >= '0' && *t->s <= '9'; t->s++) {
		micros += (*t->s - '0') * unit;
		*finer_out |= unit == 0 && *t->s != '0';
		unit /= 10;
	}
	*micros_out = micros;
	return t->s > first;
}

/* "Z" or "+HH:MM". */
static bool take_zone(struct text *t, int *minutes_out)
{
	int sign, hours, minutes;

	*minutes_out = 0;
	if (take_char(t, 'Z') || take_char(t, 'z'))
		return true;
	sign = take_char(t, '+') ? 1 : take_char(t, '-') ? -1 : 0;
	if (sign == 0 || !take_number(t, 2, 0, 23, &hours) || !take_char(t, ':') ||
	    !take_number(t, 2, 0, 59, &minutes))
		return false;
	*minutes_out = sign * (hours * 60 + minutes);
	return true;
}

static enum time_fit time_read(const char *s, size_t len, bool need_zone, int64_t *micros_out)
{
	struct text t = { s, s + len };
	int year, hour, minute, second, micros, zone = 0;
	int64_t days, total;
	bool finer;

	if (!take_date(&t, &year, &days) ||
	    !(take_char(&t, 'T') || take_char(&t, 't') || take_char(&t, ' ')) ||
	    !take_number(&t, 2, 0, 23, &hour) || !take_char(&t, ':') || !take_number(&t, 2, 0, 59, &minute) ||
	    !take_char(&t, ':') || !take_number(&t, 2, 0, 60, &second) ||
	    !take_decimals(&t, &micros, &finer) || ((need_zone || t.s < t.end) && !take_zone(&t, &zone)) ||
	    t.s < t.end)
		return TIME_NO_TIME;
	total = days * MICROS_PER_DAY + micros +
		((hour * 60 + minute - zone) * INT64_C(60) + second) * MICROS_PER_SECOND;
	if (year == 0 || second == 60 || finer || total < VALUE_TIME_MIN || total > VALUE_TIME_MAX)
		return TIME_NO_ROOM;
	*micros_out = total;
	return TIME_FITS;
}

enum time_fit time_read_rfc3339(const char *s, size_t len, int64_t *micros_out)
{
	return time_read(s, len, true, micros_out);
}

int value_time_parse(const char *s, size_t len, int64_t *micros_out)
{
	return time_read(s, len, false, micros_out);
}

/* n digits of v, ending before out. */
static void put_number(char *out, int n, int v)
{
	while (n-- > 0) {
		*--out = (char)('0' + v % 10);
		v /= 10;
	}
}

void value_time_format(int64_t micros, char out[27])
{
	int64_t days = micros / MICROS_PER_DAY, rest = micros % MICROS_PER_DAY;
	int year, month, day, second;

	if (rest < 0) {
		rest += MICROS_PER_DAY;
		days--;
	}
	date_from_days(days, &year, &month, &day);
	second = (int)(rest / MICROS_PER_SECOND);
	memcpy(out, "0000-00-00 00:00:00.000000", 27);
	put_number(out + 4, 4, year);
	put_number(out + 7, 2, month);
	put_number(out + 10, 2, day);
	put_number(out + 13, 2, second / 3600);
	put_number(out + 16, 2, second / 60 % 60);
	put_number(out + 19, 2, second % 60);
	put_number(out + 26, 6, (int)(rest % MICROS_PER_SECOND));
}
