#include "config.h"

#include "proto/keys.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "proto/value.h"

enum {
	SMALL_PAIRS = 16, /* up to here each key is compared with each */
	STACK_PAIRS = 128 /* up to here no memory is asked for */
};

static bool keys_equal(const msgpack_object_str *a, const msgpack_object_str *b)
{
	return a->size == b->size && (a->size == 0 || memcmp(a->ptr, b->ptr, a->size) == 0);
}

/* A key and a hash of it, so that sorting seldom has to look at the key itself. */
struct hashed {
	uint64_t hash;
	const msgpack_object_str *key;
};

/* FNV-1a. Keys made to collide cost their comparison, nothing worse: they are sorted as well. */
static uint64_t key_hash(const msgpack_object_str *key)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (uint32_t i = 0; i < key->size; i++)
		hash = (hash ^ (unsigned char)key->ptr[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static int hashed_compare(const void *x, const void *y)
{
	const struct hashed *a = x, *b = y;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	if (a->key->size != b->key->size)
		return a->key->size < b->key->size ? -1 : 1;
	return a->key->size == 0 ? 0 : memcmp(a->key->ptr, b->key->ptr, a->key->size);
}

static enum rowd_code key_twice(const msgpack_object_str *key, struct err *err)
{
	return err_set(err, ROWD_E_BAD_REQUEST, "the key \"%.*s\" is given twice in a map",
		       key->size < ERR_NAME_BYTES ? (int)key->size : ERR_NAME_BYTES,
		       key->ptr ? key->ptr : "");
}

static enum rowd_code small_map_check(const msgpack_object_map *map, struct err *err)
{
	for (uint32_t i = 1; i < map->size; i++) {
		for (uint32_t j = 0; j < i; j++) {
			if (keys_equal(&map->ptr[i].key.via.str, &map->ptr[j].key.via.str))
				return key_twice(&map->ptr[i].key.via.str, err);
		}
	}
	return ROWD_OK;
}

static enum rowd_code large_map_check(const msgpack_object_map *map, struct err *err)
{
	struct hashed few[STACK_PAIRS], *keys = few;
	enum rowd_code rc = ROWD_OK;

	if (map->size > STACK_PAIRS) {
		keys = malloc(map->size * sizeof(*keys));
		if (!keys)
			return err_set(err, ROWD_E_NO_RESOURCE, "no memory to look at a map's keys");
	}
	for (uint32_t i = 0; i < map->size; i++) {
		keys[i].key = &map->ptr[i].key.via.str;
		keys[i].hash = key_hash(keys[i].key);
	}
	qsort(keys, map->size, sizeof(*keys), hashed_compare);
	for (uint32_t i = 1; i < map->size && rc == ROWD_OK; i++) {
		if (keys[i].hash == keys[i - 1].hash && keys_equal(keys[i].key, keys[i - 1].key))
			rc = key_twice(keys[i].key, err);
	}
	if (keys != few)
		free(keys);
	return rc;
}

/* The same keys in the same order as a map already found sound: rows that follow each other. */
static bool same_keys(const msgpack_object_map *map, const msgpack_object_map *sound)
{
	if (map->size != sound->size)
		return false;
	for (uint32_t i = 0; i < map->size; i++) {
		if (map->ptr[i].key.type != MSGPACK_OBJECT_STR ||
		    !keys_equal(&map->ptr[i].key.via.str, &sound->ptr[i].key.via.str))
			return false;
	}
	return true;
}

/* The keys alone. */
static enum rowd_code map_check(const msgpack_object_map *map, struct err *err)
{
	for (uint32_t i = 0; i < map->size; i++) {
		if (map->ptr[i].key.type != MSGPACK_OBJECT_STR)
			return err_set(err, ROWD_E_BAD_REQUEST, "a map's key is a str, %s came",
				       wire_kind_name(&map->ptr[i].key));
	}
	return map->size <= SMALL_PAIRS ? small_map_check(map, err) : large_map_check(map, err);
}

static enum rowd_code map_values_check(const msgpack_object_map *map, struct err *err)
{
	enum rowd_code rc = ROWD_OK;

	for (uint32_t i = 0; i < map->size && rc == ROWD_OK; i++)
		rc = keys_check(&map->ptr[i].val, err);
	return rc;
}

static enum rowd_code array_check(const msgpack_object_array *array, struct err *err)
{
	const msgpack_object_map *sound = NULL;
	enum rowd_code rc = ROWD_OK;

	for (uint32_t i = 0; i < array->size && rc == ROWD_OK; i++) {
		const msgpack_object *o = &array->ptr[i];

		if (o->type == MSGPACK_OBJECT_ARRAY) {
			rc = array_check(&o->via.array, err);
		} else if (o->type == MSGPACK_OBJECT_MAP) {
			if (!sound || !same_keys(&o->via.map, sound))
				rc = map_check(&o->via.map, err);
			if (rc == ROWD_OK)
				rc = map_values_check(&o->via.map, err);
			sound = &o->via.map;
		}
	}
	return rc;
}

enum rowd_code keys_check(const msgpack_object *o, struct err *err)
{
	enum rowd_code rc = ROWD_OK;

	if (o->type == MSGPACK_OBJECT_ARRAY) {
		rc = array_check(&o->via.array, err);
	} else if (o->type == MSGPACK_OBJECT_MAP) {
		rc = map_check(&o->via.map, err);
		if (rc == ROWD_OK)
			rc = map_values_check(&o->via.map, err);
	}
	return rc;
}
