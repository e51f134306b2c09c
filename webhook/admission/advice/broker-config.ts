// Reads the settings of Fluxion and the hosts from the broker configuration of a MiniCluster (TOML, flux-config(5)). Pure.
import { parse, TomlError } from 'smol-toml'
import * as v from 'valibot'
import type { FluxionSettings } from '#flux/calls/fluxion.ts'

export type BrokerConfigReading =
  /** A setting that is not set, or is not a string, is `undefined`. */
  | {
      readonly kind: 'settings'
      readonly settings: FluxionSettings
      /** The hostlists of the ranks, in their order (flux-config-bootstrap(5)). */
      readonly hosts: readonly string[]
    }
  /** Invalid TOML at this place, counted from 1. */
  | { readonly kind: 'malformed'; readonly line: number; readonly column: number }
  /** Not read at all. Both lengths are in characters. */
  | { readonly kind: 'too-long'; readonly length: number; readonly maxLength: number }

/**
 * Usual configurations have some hundred characters. Dotted keys cost 250 bytes of heap and up to 4 µs a character: 4 MB and
 * 70 ms at this length. 600,000 characters need more heap than the webhook's image has.
 */
const MAX_LENGTH = 16_384

/** Nested arrays and inline tables. Flux uses at most 3 levels; the parser's own limit of 1000 takes half of the stack. */
const MAX_DEPTH = 32

const Setting = v.fallback(v.optional(v.string()), undefined)

const ConfigSchema = v.looseObject({
  'sched-fluxion-qmanager': v.fallback(v.looseObject({ 'queue-policy': Setting }), {}),
  'sched-fluxion-resource': v.fallback(
    v.looseObject({ 'match-policy': Setting, 'prune-filters': Setting }),
    {},
  ),
  bootstrap: v.fallback(
    v.looseObject({ hosts: v.fallback(v.array(v.looseObject({ host: v.string() })), []) }),
    { hosts: [] },
  ),
})

/** Keys as in flux-config-sched-fluxion-qmanager(5) and flux-config-sched-fluxion-resource(5). */
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
      hosts: config.bootstrap.hosts.map(({ host }) => host),
    }
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    return { kind: 'malformed', line: error.line, column: error.column }
  }
}
