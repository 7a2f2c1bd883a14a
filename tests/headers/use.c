/* Everything of rowd.h that is a macro, used: compiled as C and as C++. */
#include "rowd.h"

struct rowd_value *use(void);

struct rowd_value *use(void)
{
	struct rowd_options options = ROWD_OPTIONS_INIT;
	struct rowd_call_options how = ROWD_CALL_OPTIONS_INIT;

	options.timeout_ms = ROWD_TIMEOUT_NONE;
	how.timeout_ms = ROWD_TIMEOUT_DEFAULT;
	(void)options;
	(void)how;
	return rowd_array(rowd_and(rowd_gt("age", rowd_int(30)), rowd_like("name", "a%")), rowd_or(rowd_is_null("b")),
			  rowd_map("id", rowd_int(1), "order", rowd_strs("name", "-age")));
}
