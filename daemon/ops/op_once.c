#include "config.h"

#include "daemon/exec/once.h"
#include "daemon/ops/ops.h"

enum rowd_code op_outcome(struct exec *x, const struct request *req, struct err *err)
{
	return once_outcome(x, req->params[0], err);
}
