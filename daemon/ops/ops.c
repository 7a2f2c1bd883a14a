#include "config.h"

#include "daemon/ops/ops.h"

/* A row of ops.def that is not named below is a mistake, not a NULL. */
#pragma GCC diagnostic error "-Wswitch"

/* clang-format off */
op_fn *ops_handler(enum op_id id)
{
	switch (id) {
	case OP_TABLES: return op_tables;
	case OP_DESCRIBE: return op_describe;
	case OP_CREATE_TABLE: return op_create_table;
	case OP_DROP_TABLE: return op_drop_table;
	case OP_CREATE_INDEX: return op_create_index;
	case OP_DROP_INDEX: return op_drop_index;
	case OP_ADD_COLUMN: return op_add_column;
	case OP_GET: return op_get_row;
	case OP_SELECT: return op_select;
	case OP_COUNT: return op_count;
	case OP_EXISTS: return op_exists;
	case OP_AGGREGATE: return op_aggregate;
	case OP_INSERT: return op_insert;
	case OP_UPSERT: return op_upsert;
	case OP_UPDATE: return op_update;
	case OP_UPDATE_WHERE: return op_update_where;
	case OP_UPDATE_ALL: return op_update_all;
	case OP_DELETE: return op_delete;
	case OP_DELETE_WHERE: return op_delete_where;
	case OP_DELETE_ALL: return op_delete_all;
	case OP_PREVIEW_DELETE: return op_preview_delete;
	case OP_ATOMIC: return op_atomic;
	case OP_OUTCOME: return op_outcome;
	case OP_PURGE: return op_purge;
	case OP_JOBS: return op_jobs;
	case OP_JOB: return op_job;
	case OP_JOB_PAUSE: return op_job_pause;
	case OP_JOB_RESUME: return op_job_resume;
	case OP_JOB_CANCEL: return op_job_cancel;
	case OP_JOB_TUNE: return op_job_tune;
	case OP_CHECK: return op_check;
	case OP_BACKUP: return op_backup;
	case OP_RECLAIM: return op_reclaim;
	case OP_SESSIONS:
	case OP_KILL:
	case OP_PAUSE:
	case OP_RESUME:
	case OP_RELOAD:
	case OP_SHUTDOWN:
	case OP_HELLO:
	case OP_PING:
	case OP_USE:
	case OP_WHOAMI:
	case OP_CANCEL:
	case OP_DATABASES:
	case OP_STATS:
	case OP_BEGIN:
	case OP_COMMIT:
	case OP_ROLLBACK:
	case OP_SAVEPOINT:
	case OP_ROLLBACK_TO:
	case OP_RELEASE:
	case OP_COUNT_:
		break;
	}
	return NULL;
}
