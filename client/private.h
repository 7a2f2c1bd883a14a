/*
 * The inside of librowd: what its files know of each other. Not installed.
 *
 * The flow of a call: values are encoded as they are made (value.c, filter.c); call.c puts them in a
 * request and keeps a ticket for it; conn.c moves bytes and hands whole frames to the ticket they
 * answer; result.c decodes a frame when the caller receives it; item.c reads it.
 */
#ifndef ROWD_CLIENT_PRIVATE_H
#define ROWD_CLIENT_PRIVATE_H

#include <pthread.h>
#include <stdarg.h>

#include <msgpack.h>

#include "base/buf.h"
#include "proto/frame.h"
#include "rowd.h"

enum {
	REQUEST_MAX_BYTES = 268435456 + 65536, /* the most a daemon can be set to take, and some */
	REPLY_MAX_VALUES = 50000000,
	SEND_GATHER_BYTES = 65536,
	READ_BYTES = 16384,
	KEEP_BYTES = 1048576, /* an empty buffer larger than this is given back */
	CANCEL_GRACE_MS = 1000,
	STREAM_DRAIN_MS = 5000
};

/* ---- error.c ---- */

/* Fill *err (NULL is fine) as said by the library: outcome and retry as codes.def has them. Returns code. */
enum rowd_code error_set(struct rowd_error *err, enum rowd_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* From the base's own kind of error. */
enum rowd_code error_from(struct rowd_error *err, const struct err *from);

/* From the error of a reply; if that cannot be read, of an unknown outcome when the request writes. */
enum rowd_code error_from_wire(struct rowd_error *err, const msgpack_object *o, bool writes);

/* ---- value.c ---- */

/* ROWD_OK, or fill *err with why v cannot be sent. v may be NULL: nothing to complain about. */
enum rowd_code value_usable(const struct rowd_value *v, struct rowd_error *err);

/* The elements of an array; -1 when v is something else. */
int64_t value_elements(const struct rowd_value *v);

/* The text that an array begins with; yours to free. NULL: it begins with something else, or there is no memory. */
char *value_first_text(const struct rowd_value *array);

/* Append the encoded value. v is not consumed. b->failed tells of overflow. */
void value_append(struct buf *b, const struct rowd_value *v);

/* ---- deadlines ---- */

/* A point of the monotonic clock in milliseconds; DEADLINE_NONE: never. */
typedef int64_t deadline;
#define DEADLINE_NONE INT64_C(-1)

deadline deadline_in(int timeout_ms); /* ROWD_TIMEOUT_NONE or milliseconds */
int deadline_left_ms(deadline at);    /* -1 for DEADLINE_NONE, 0 when past */
deadline deadline_sooner(deadline a, deadline b);

/* ---- tickets: requests on their way ---- */

enum ticket_kind { TICKET_READ, TICKET_WRITE, TICKET_BEGIN, TICKET_COMMIT, TICKET_ROLLBACK };

enum ticket_state { TICKET_WAITING, TICKET_ANSWERED, TICKET_LOST };

struct ticket {
	struct ticket *next;
	uint64_t number; /* its low 32 bits are the msgid */
	uint64_t end;    /* where the request ends in all that is sent on this connection */
	enum ticket_kind kind;
	enum ticket_state state;
	bool in_tx;     /* sent inside an open transaction that nothing on its way could end */
	bool is_get;    /* the reply is a row */
	bool ok;        /* answered, and not with an error */
	bool here;      /* answered by the library: true */
	bool unsent;    /* lost before it had wholly left */
	char *database; /* owned; the one that becomes the connection's when the answer is good */
	char *frame;    /* owned; the reply, with a byte behind it; NULL until answered */
	size_t frame_len;
	enum rowd_code lost_code;
};

struct ticket_list {
	struct ticket *first, **end;
};

void ticket_list_init(struct ticket_list *l);
void ticket_list_add(struct ticket_list *l, struct ticket *t);
struct ticket *ticket_list_remove(struct ticket_list *l, uint64_t number); /* NULL when not there */
void ticket_list_clear(struct ticket_list *l);
void ticket_free(struct ticket *t); /* NULL is fine */

/* What a method does to the world, from ops.def; one that is not known writes. */
enum ticket_kind ticket_kind_of(const char *method);

/* ---- connections ---- */

struct rowd {
	char *path;                  /* owned; constant */
	char *client;                /* owned; constant; NULL: the program's name */
	struct rowd_options options; /* its strings are not used */
	char *database;              /* owned; the last one chosen; NULL: the daemon's default */
	int fd;                      /* -1: not connected */
	struct buf out;              /* requests not yet taken by the kernel */
	size_t out_used;             /* bytes of out that the kernel has taken */
	uint64_t out_taken;          /* bytes the kernel has taken on this connection */
	bool out_broken;             /* the daemon takes no more; what it sent is still read */
	struct buf in;               /* the reply being received, and what is behind it */
	size_t in_used;              /* bytes of in that are done with */
	struct frame frame;
	uint64_t last_ticket;
	struct ticket_list waiting;  /* in the order sent */
	struct ticket_list answered; /* in the order answered; lost ones too */
	unsigned pending;            /* in both */
	bool connecting;             /* hello is on its way: no call may connect again */
	bool tx;                     /* a transaction is open */
	bool tx_lost;                /* it went away with its connection; nobody has rolled back yet */
	char lost_text[ROWD_ERROR_TEXT_BYTES]; /* why the connection was lost */
	int64_t max_request_bytes;             /* as hello told; 0: not told */
	struct rowd_result *hello;             /* owned */
	struct rowd_stream *stream;            /* borrowed; NULL: none is open */
	pthread_mutex_t lock;                  /* what rowd_cancel reads: */
	uint64_t session;
	uint64_t waited_for; /* the ticket that is waited for now; 0: none */
};

/* connect.c */

/*
 * Open the socket, say hello, choose the database. again: see conn_open. On failure the
 * connection is closed as before.
 */
enum rowd_code connection_make(struct rowd *c, bool again, deadline until, struct rowd_error *err);

/* A second connection to the daemon of c, for one thing to ask: as connection_make, and never made again. */
enum rowd_code connection_second(const struct rowd *c, const char *database, bool again, deadline until,
				 struct rowd **out, struct rowd_error *err);

/* conn.c */

/*
 * Open the socket. again: a daemon that was there is expected back, so its absence is waited out.
 * Nothing may be waiting.
 */
enum rowd_code conn_open(struct rowd *c, bool again, deadline until, struct rowd_error *err);

/*
 * Send what the kernel takes, hand on what has come; when neither was possible wait until it is.
 * False: the deadline passed and nothing moved. A lost connection is true: then fd is -1 and
 * every ticket that waited is lost.
 */
bool conn_turn(struct rowd *c, deadline until);

/* Hand on what has come already, without asking the kernel. True when there was a frame. */
bool conn_dispatch(struct rowd *c);

/* Close, and say of each waiting ticket what became of it. code: for those that surely had no effect. */
void conn_lose(struct rowd *c, enum rowd_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* call.c */

/* A copy of what the caller knows of the options; the rest as it is by default. */
enum rowd_code call_options_read(const struct rowd_call_options *how, struct rowd_call_options *out,
				 struct rowd_error *err);

/* As rowd_call, by a deadline of its own; args borrowed, may be NULL. */
enum rowd_code call_until(struct rowd *c, const char *method, const struct rowd_value *args, deadline until,
			  struct rowd_result **result_out, struct rowd_error *err);

/* Put a request into c->out and a ticket into c->waiting, after call_ready. *t_out is borrowed. */
enum rowd_code call_put(struct rowd *c, const char *method, const struct rowd_value *args,
			struct ticket **t_out, struct rowd_error *err);

/* Connected, or connected again where that is safe. */
enum rowd_code call_ready(struct rowd *c, const char *method, deadline until, struct rowd_error *err);

/* Take an answered or lost ticket out of c and free it: its result, or its error. */
enum rowd_code call_finish(struct rowd *c, struct ticket *t, struct rowd_result **result_out,
			   struct rowd_error *err);

/* Ask, on this connection and without an answer, that a request be stopped. */
void call_cancel(struct rowd *c, uint64_t number);

/* Tell rowd_cancel, which may run on another thread, what is waited for; 0: nothing. */
void call_waits_for(struct rowd *c, uint64_t number);

/* The deadline of a timeout as callers give it: ROWD_TIMEOUT_DEFAULT is the connection's. */
deadline call_deadline(const struct rowd *c, int timeout_ms);

/* ---- results ---- */

struct rowd_row {
	const struct rowd_result *result;
	const msgpack_object *cells; /* an array as wide as the columns, or a map */
};

struct rowd_result {
	char *frame;                   /* owned; strings point into it */
	msgpack_unpacked unpacked;     /* owned */
	const msgpack_object *value;   /* the answer */
	const msgpack_object *error;   /* of a reply; nil when it is none */
	const msgpack_object *columns; /* array of names; NULL when the rows are maps, or there are none */
	struct rowd_row *rows;         /* owned */
	size_t nrows;
	bool more;
};

/* Decode a whole frame (with one writable byte behind it), which is then the result's even when this
 * fails. */
enum rowd_code result_decode(char *frame, size_t len, struct rowd_result **out, struct rowd_error *err);

/* Find the rows of a reply. is_get: the answer itself is a row. ROWD_E_NO_RESOURCE. */
enum rowd_code result_find_rows(struct rowd_result *r, bool is_get, struct rowd_error *err);

/* From now on the answer is its member `name`, which it has. ROWD_E_NO_RESOURCE. */
enum rowd_code result_descend(struct rowd_result *r, const char *name, struct rowd_error *err);

/* The rows of a stream's notification, an array of arrays, each as wide as columns. */
enum rowd_code result_batch_rows(struct rowd_result *r, const msgpack_object *columns,
				 struct rowd_error *err);

/* A value as if it had been received. v is not consumed. */
enum rowd_code result_of_value(const struct rowd_value *v, struct rowd_result **out, struct rowd_error *err);

/* ---- streams ---- */

struct rowd_stream {
	struct rowd *conn; /* borrowed */
	uint64_t ticket;
	char *frame; /* owned; a notification that came and was not taken yet */
	size_t frame_len;
	struct rowd_result *batch; /* owned; what the caller looks at */
	struct rowd_result *names; /* owned; what columns points into */
	const msgpack_object *columns;
	enum rowd_code failed; /* ROWD_OK until it failed */
	bool done;             /* the final answer was taken */
	bool broken;           /* a batch could not be kept: memory */
};

#endif
