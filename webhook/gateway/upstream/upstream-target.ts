// The adapter that is configured for a group: its Service, and what its certificate is verified against.
import type { Environment } from '#serving/env.ts'

export interface UpstreamTarget {
  readonly namespace: string
  readonly service: string
  readonly port: number
  /** File of the CA (PEM) that verifies the adapter; `undefined`: any certificate is accepted, as its APIService said. */
  readonly caFile: string | undefined
}

const NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/
const MAX_PORT = 65_535

/**
 * Reads `NAME` (`namespace/service:port`) with `NAME_CA_FILE` or `NAME_INSECURE`.
 *
 * @returns `undefined` if no adapter is configured, or wrongly: then `env` has the problem
 */
export function readUpstream(env: Environment, name: string): UpstreamTarget | undefined {
  const text = env.optional(name)
  const caFile = env.file(`${name}_CA_FILE`)
  const isInsecure = env.boolean(`${name}_INSECURE`, false)
  if (text === undefined) {
    if (caFile !== undefined || isInsecure)
      env.problem(name, 'the adapter as "namespace/service:port"')
    return undefined
  }
  if (caFile !== undefined && isInsecure)
    env.problem(`${name}_INSECURE`, `nothing beside ${name}_CA_FILE`)
  if (caFile === undefined && !isInsecure && env.optional(`${name}_CA_FILE`) === undefined)
    env.problem(`${name}_CA_FILE`, `the CA of the adapter (PEM), or ${name}_INSECURE=true`)
  const target = parseTarget(text)
  if (target === undefined) env.problem(name, '"namespace/service:port"')
  return target && { ...target, caFile }
}

function parseTarget(text: string): Omit<UpstreamTarget, 'caFile'> | undefined {
  const [, namespace = '', service = '', digits = ''] =
    /^([^/:]*)\/([^/:]*):([1-9]\d{0,4})$/.exec(text) ?? []
  const port = Number(digits)
  const isValid = NAME.test(namespace) && NAME.test(service) && port <= MAX_PORT
  return isValid ? { namespace, service, port } : undefined
}
