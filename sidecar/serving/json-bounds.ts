// Bounds what JSON.parse makes of a body, by one look at each of its bytes: how deep values are nested, and how many there are.
// A short text can become many times its length of objects.

/** Kubernetes nests 40 deep at most, in schemas. */
const MAX_DEPTH = 100

/**
 * Values and keys. An object of 1.5 MiB, etcd's maximum, has 40,000 if each takes 40 bytes, and the review of an update holds
 * two objects. As many as this, of the worst kind that was found (each object with keys of its own), hold the loop for 100 ms
 * and take 10 MiB.
 */
const MAX_VALUES = 100_000

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_ARRAY = 0x5b
const BACKSLASH = 0x5c
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

export type BoundedJson =
  | { readonly kind: 'parsed'; readonly value: unknown }
  /** What there is too much of. It was not parsed. */
  | { readonly kind: 'excess'; readonly what: string }
  | { readonly kind: 'malformed'; readonly cause: unknown }

/** Parses a text of somebody who is not trusted to write JSON, or little of it. */
export function parseBounded(json: Buffer | string, { maxValues = MAX_VALUES } = {}): BoundedJson {
  const bytes = typeof json === 'string' ? Buffer.from(json) : json
  const what = findExcess(bytes, { maxValues })
  if (what !== undefined) return { kind: 'excess', what }
  try {
    return { kind: 'parsed', value: JSON.parse(json.toString()) }
  } catch (cause) {
    return { kind: 'malformed', cause }
  }
}

/** @returns what there is too much of; `undefined` if the text may be parsed */
export function findExcess(json: Buffer, { maxValues = MAX_VALUES } = {}): string | undefined {
  let depth = 0
  // Each comma, colon and bracket begins at most one value or key.
  let values = 1
  for (let at = 0; at < json.length; at += 1) {
    switch (json[at]) {
      case QUOTE:
        at = endOfString(json, at)
        break
      case COMMA:
      case COLON:
        values += 1
        break
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        values += 1
        depth += 1
        if (depth > MAX_DEPTH) return `more than ${MAX_DEPTH} values inside each other`
        break
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        depth -= 1
        break
    }
    if (values > maxValues) return `more than ${maxValues} keys and values`
  }
  return undefined
}

/** The place of the closing quote, or the end of the text. */
function endOfString(json: Buffer, start: number): number {
  let at = start + 1
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1
  return at
}
