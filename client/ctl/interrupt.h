/*
 * Ctrl-C while a call is under way: the call is cancelled over a connection of its own, and its own
 * answer says what came of it.
 */
#ifndef ROWD_CTL_INTERRUPT_H
#define ROWD_CTL_INTERRUPT_H

#include <stdbool.h>

#include "rowd.h"

/* Catch SIGINT from now on, and begin to wait for it. False when that cannot be had: then Ctrl-C ends rowctl. */
bool interrupt_init(void);

/* A call on conn begins: Ctrl-C cancels it. writes: it could change something, so that leaving it
 * behind leaves its outcome unknown. Every begin has its end. */
void interrupt_begin(struct rowd *conn, bool writes);

/* The call ended. */
void interrupt_end(void);

/* While it is on, Ctrl-C outside of a call only sets the mark; else it ends rowctl as usual. Returns how it was. */
bool interrupt_defer(bool on);

/* Was Ctrl-C pressed since the last interrupt_forget? */
bool interrupt_seen(void);
void interrupt_forget(void);

#endif
