#include "config.h"

#include "daemon/db/mysql_private.h"

#include "tests/unit/unit.h"

static struct err err;

static struct mydb_url parsed(const char *url)
{
	struct mydb_url u;

	err_init(&err);
	if (mydb_url_parse(url, &u, &err))
		fail_msg("%s: %s", url, err.text);
	return u;
}

static void assert_refused(const char *url, const char *words)
{
	struct mydb_url u;

	err_init(&err);
	assert_int_equal(mydb_url_parse(url, &u, &err), ROWD_E_BAD_REQUEST);
	if (!strstr(err.text, words))
		fail_msg("%s: %s", url, err.text);
}

TEST(a_whole_url_is_read)
{
	struct mydb_url u =
		parsed("mysql://a%40b@db.example:3307/sh%6Fp?password_file=/etc/p%20w&ssl=required");

	assert_string_equal(u.user, "a@b");
	assert_string_equal(u.database, "shop");
	assert_int_equal(u.nhosts, 1);
	assert_string_equal(u.hosts[0].name, "db.example");
	assert_int_equal(u.hosts[0].port, 3307);
	assert_string_equal(u.password_file, "/etc/p w");
	assert_int_equal(u.tls, MYDB_TLS_REQUIRED);
	assert_null(u.unix_socket);
	mydb_url_fini(&u);
}

TEST(several_hosts_stand_behind_one_another)
{
	struct mydb_url u = parsed("mysql://u@h1,h2:3307,[::1]:3308,[fe80::1]/d");

	assert_int_equal(u.nhosts, 4);
	assert_string_equal(u.hosts[0].name, "h1");
	assert_int_equal(u.hosts[0].port, 3306);
	assert_int_equal(u.hosts[1].port, 3307);
	assert_string_equal(u.hosts[2].name, "::1");
	assert_int_equal(u.hosts[2].port, 3308);
	assert_string_equal(u.hosts[3].name, "fe80::1");
	assert_false(u.hosts[3].port_given);
	mydb_url_fini(&u);
}

TEST(what_is_missing_or_wrong_is_named)
{
	assert_refused("mysql:/u@h/d", "expected mysql://");
	assert_refused("mysql://h/d", "expected a user");
	assert_refused("mysql://@h/d", "expected a user");
	assert_refused("mysql://u@h", "expected a database");
	assert_refused("mysql://u@h/", "expected a database");
	assert_refused("mysql://u@h/a/b", "expected a database");
	assert_refused("mysql://u@/d", "name of a host");
	assert_refused("mysql://u@h1,,h2/d", "name of a host");
	assert_refused("mysql://u@h:0/d", "a port is a number");
	assert_refused("mysql://u@h:65536/d", "a port is a number");
	assert_refused("mysql://u@h:/d", "a port is a number");
	assert_refused("mysql://u@h:33x/d", "a port is a number");
	assert_refused("mysql://u@::1/d", "in brackets");
	assert_refused("mysql://u@[::1/d", "in brackets");
	assert_refused("mysql://u@h/d#x", "%23");
	assert_refused("mysql://u@h/d%0", "two hexadecimal digits");
	assert_refused("mysql://u@h/d%00", "%00");
	assert_refused("mysql://u@h,h,h,h,h,h,h,h,h,h,h,h,h,h,h,h,h/d", "more than 16 hosts");
}

TEST(a_password_has_no_place_in_a_url)
{
	assert_refused("mysql://u:secret@h/d", "password_file");
	assert_null(strstr(err.text, "secret"));
	assert_refused("mysql://u@h/d?password=secret", "takes no option of that name");
	assert_null(strstr(err.text, "secret"));
}

TEST(options_are_known_given_once_and_fit_together)
{
	assert_refused("mysql://u@h/d?sslmode=verify", "takes no option of that name");
	assert_refused("mysql://u@h/d?ssl", "name=value");
	assert_refused("mysql://u@h/d?ssl=maybe", "off, required or verify");
	assert_refused("mysql://u@h/d?ssl=off&ssl=off", "twice");
	assert_refused("mysql://u@h/d?password_file=/a&password_file=/b", "twice");
	assert_refused("mysql://u@h/d?password_file=a", "absolute path");
	assert_refused("mysql://u@h/d?unix_socket=/s", "localhost");
	assert_refused("mysql://u@localhost:3306/d?unix_socket=/s", "without a port");
	assert_refused("mysql://u@localhost,localhost/d?unix_socket=/s", "one host");
	assert_refused("mysql://u@h/d?ssl_cert=/c", "together");
	assert_refused("mysql://u@h/d?ssl=off&ssl_ca=/c", "ssl=off");
}

TEST(only_this_machine_is_local)
{
	static const struct {
		const char *url;
		bool local;
	} rows[] = {
		{ "mysql://u@localhost/d", true },
		{ "mysql://u@LOCALHOST:1/d", true },
		{ "mysql://u@127.0.0.1/d", true },
		{ "mysql://u@127.8.9.1/d", true },
		{ "mysql://u@[::1]/d", true },
		{ "mysql://u@localhost/d?unix_socket=/s", true },
		{ "mysql://u@127.example.com/d", false },
		{ "mysql://u@10.0.0.1/d", false },
		{ "mysql://u@localhost.example.com/d", false },
		{ "mysql://u@[::2]/d", false },
	};
	size_t i;

	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct mydb_url u = parsed(rows[i].url);

		if (mydb_host_is_local(&u, &u.hosts[0]) != rows[i].local)
			fail_msg("%s", rows[i].url);
		mydb_url_fini(&u);
	}
}
