// The broker configuration that a MiniCluster may bring along (TOML, flux-config(5)): the few keys about Fluxion. Pure.
import { parse, TomlError } from 'smol-toml'
import * as v from 'valibot'
import type { FluxionSettings } from '#flux/calls/fluxion.ts'

export type BrokerConfigReading =
  /** What is not set, or is no text, is `undefined`. */
  | { readonly kind: 'settings'; readonly settings: FluxionSettings }
  /** No TOML: where, counted from 1. */
  | { readonly kind: 'malformed'; readonly line: number; readonly column: number }

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
  try {
    const config = v.parse(ConfigSchema, parse(toml))
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
