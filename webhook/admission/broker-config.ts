// The broker configuration that a MiniCluster may bring along (TOML, flux-config(5)): the few keys about Fluxion. Pure.
import { parse, TomlError } from 'smol-toml'
import * as v from 'valibot'
import type { FluxionSettings } from '#flux/calls/fluxion.ts'

export type BrokerConfigReading =
  /** What is not set, or is no text, is `undefined`. */
  | { readonly kind: 'settings'; readonly settings: FluxionSettings }
  /** No TOML: where, counted from 1. */
  | { readonly kind: 'malformed'; readonly line: number; readonly column: number }
  /** Not read at all. In characters. */
  | { readonly kind: 'too-long'; readonly length: number; readonly maxLength: number }

/**
 * Those of MiniClusters have some hundred characters. One of dotted keys costs 250 bytes of heap and up to 4 µs a character:
 * 4 MB and 70 ms at this length; 600,000 characters are more than all the heap that the webhook's image has.
 */
const MAX_LENGTH = 16_384

/** Arrays and inline tables in each other; Flux has at most three. 1000, the parser's own bound, take half of the stack. */
const MAX_DEPTH = 32

const Setting = v.fallback(v.optional(v.string()), undefined)

const ConfigSchema = v.looseObject({
  'sched-fluxion-qmanager': v.fallback(v.looseObject({ 'queue-policy': Setting }), {}),
  'sched-fluxion-resource': v.fallback(
    v.looseObject({ 'match-policy': Setting, 'prune-filters': Setting }),
    {},
  ),
})

/** Reads it: flux-config-sched-fluxion-qmanager(5), flux-config-sched-fluxion-resource(5). */
export function readBrokerConfig(toml: string): BrokerConfigReading {
  const { length } = toml
  if (length > MAX_LENGTH) return { kind: 'too-long', length, maxLength: MAX_LENGTH }
  try {
    const config = v.parse(ConfigSchema, parse(toml, { maxDepth: MAX_DEPTH }))
    const resource = config['sched-fluxion-resource']
    return {
      kind: 'settings',
      settings: {
        queuePolicy: config['sched-fluxion-qmanager']['queue-policy'],
        matchPolicy: resource['match-policy'],
        pruneFilters: resource['prune-filters'],
      },
    }
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    return { kind: 'malformed', line: error.line, column: error.column }
  }
}
