#include "config.h"

#include "base/paths.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

enum { SOMEBODY = 4711 };    /* no such user lives here */

static struct err err;
static char out[PATH_SOCKET_BYTES];

/* The rules for others than root, whoever runs the tests. */
static void be_somebody(void)
{
	if (getuid() == 0)
		assert_int_equal(seteuid(SOMEBODY), 0);
	unsetenv("ROWD_SOCKET");
	unsetenv("XDG_RUNTIME_DIR");
	unsetenv("XDG_DATA_HOME");
	err_init(&err);
}

static void be_oneself(void)
{
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
}

TEST(rowd_socket_beats_everything)
{
	be_somebody();
	setenv("ROWD_SOCKET", "/x/y.sock", 1);
	assert_int_equal(path_socket(out, sizeof(out), &err), ROWD_OK);
	assert_string_equal(out, "/x/y.sock");
	assert_int_equal(path_socket_find(out, sizeof(out), &err), ROWD_OK);
	assert_string_equal(out, "/x/y.sock");
	unsetenv("ROWD_SOCKET");
	be_oneself();
}

TEST(a_user_has_a_socket_in_the_runtime_directory)
{
	be_somebody();
	setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
	assert_int_equal(path_socket(out, sizeof(out), &err), ROWD_OK);
	assert_string_equal(out, "/run/user/7/rowd/rowd.sock");
	be_oneself();
}

TEST(without_a_runtime_directory_it_lies_under_tmp)
{
	if (getuid() != 0)
		skip();    /* this user may well have one */
	be_somebody();
	setenv("XDG_RUNTIME_DIR", "relative/does/not/count", 1);
	assert_int_equal(path_socket(out, sizeof(out), &err), ROWD_OK);
	assert_string_equal(out, "/tmp/rowd-4711/rowd/rowd.sock");
	be_oneself();
}

TEST(root_has_the_systems)
{
	if (getuid() != 0)
		skip();
	assert_int_equal(path_socket(out, sizeof(out), &err), ROWD_OK);
	assert_string_equal(out, PATH_SYSTEM_SOCKET);
}

TEST(a_path_too_long_for_a_socket_is_refused)
{
	char dir[200];

	be_somebody();
	memset(dir, 'x', sizeof(dir));
	dir[0] = '/';
	dir[199] = '\0';
	setenv("XDG_RUNTIME_DIR", dir, 1);
	assert_int_equal(path_socket(out, sizeof(out), &err), ROWD_E_LIMIT);
	be_oneself();
}

TEST(a_directory_under_tmp_that_others_may_enter_is_not_trusted)
{
	char dir[64], path[96];
	uid_t uid = getuid() == 0 ? SOMEBODY : getuid();

	snprintf(dir, sizeof(dir), "/tmp/rowd-%lu", (unsigned long)uid);
	snprintf(path, sizeof(path), "%s/rowd/rowd.sock", dir);
	if (access(dir, F_OK) == 0)
		skip();    /* somebody's own rowd */
	be_somebody();
	assert_int_equal(path_make_parent(path, 0700, &err), ROWD_OK);
	assert_int_equal(path_check_parent(path, &err), ROWD_OK);
	assert_int_equal(chmod(dir, 0750), 0);
	assert_int_equal(path_check_parent(path, &err), ROWD_E_DENIED);
	assert_int_equal(chmod(dir, 0700), 0);
	be_oneself();
	if (getuid() == 0) {
		assert_int_equal(chown(dir, 0, 0), 0);
		be_somebody();
		assert_int_equal(path_check_parent(path, &err), ROWD_E_DENIED);
		be_oneself();
	}
	path[strlen(dir) + 5] = '\0';
	rmdir(path);
	rmdir(dir);
}

TEST(parents_are_made_once_and_a_file_in_their_place_is_refused)
{
	char dir[] = "/tmp/rowd-paths-XXXXXX", path[64], file[64];
	struct stat st;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/a/b/c", dir);
	assert_int_equal(path_make_parent(path, 0700, &err), ROWD_OK);
	assert_int_equal(path_make_parent(path, 0700, &err), ROWD_OK);
	path[strlen(path) - 2] = '\0';
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);

	snprintf(file, sizeof(file), "%s/f/x", dir);
	file[strlen(file) - 2] = '\0';
	fclose(fopen(file, "w"));
	file[strlen(file)] = '/';
	assert_int_equal(path_make_parent(file, 0700, &err), ROWD_E_NO_RESOURCE);
	file[strlen(file) - 2] = '\0';
	unlink(file);
	rmdir(path);
	path[strlen(path) - 2] = '\0';
	rmdir(path);
	assert_int_equal(rmdir(dir), 0);
}
