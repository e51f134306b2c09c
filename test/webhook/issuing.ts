// Identities over one API server in memory, and the requests of a sidecar.
import assert from 'node:assert/strict'
import type { LeafRequest } from '../../webhook/authority/certificate-authority.ts'
import { Identities, type IdentitiesOptions } from '../../webhook/identities/identities.ts'
import { ClusterError, type NewObject } from '../../webhook/kubernetes/cluster.ts'
import { createTelemetry } from '../../webhook/telemetry.ts'
import { createRequest, dns } from '../support/certificate-requests.ts'
import { job, leadBroker, miniCluster, NAMES, reviewer, TOKEN } from '../support/lead-broker.ts'
import { MemoryCluster } from '../support/memory-cluster.ts'
import { memoryLog } from '../support/memory-log.ts'

/** The address of the sidecar. */
export const PEER = '10.0.0.1'

/** The front proxy of {@link setup}. */
export const HEADER = {
  clientCa: "the front proxy's CA",
  allowedNames: ['front-proxy-client'],
  usernameHeaders: ['X-Remote-User'],
  groupHeaders: ['X-Remote-Group'],
  extraHeaderPrefixes: ['X-Remote-Extra-'],
}

const CA = 'the CAs of the project'

/** The answer to a sidecar beside a certificate. It answers the gateway too. */
export const TRUST = {
  ca: CA,
  requestHeader: {
    ...HEADER,
    clientCa: `${HEADER.clientCa}\n${CA}`,
    allowedNames: ['front-proxy-client', 'flux-metrics-gateway'],
  },
}

export const AWAY = new ClusterError(0, 'Cannot reach the API server: connection refused')

/** Changes to a setup. */
export type Changes = Partial<Pick<IdentitiesOptions, 'authority' | 'requestHeader'>> & {
  readonly objects?: readonly NewObject[]
}

/** A MiniCluster with its lead broker, and an authority that certifies every request. */
export function setup({
  objects = [miniCluster(), job(), leadBroker()],
  ...changes
}: Changes = {}) {
  const cluster = new MemoryCluster(objects)
  cluster.review = reviewer()
  const { log, lines } = memoryLog()
  const telemetry = createTelemetry()
  const issued: Omit<LeafRequest, 'publicKey'>[] = []
  const identities = new Identities({
    cluster,
    namespace: 'flux-metrics',
    authority: {
      bundle: TRUST.ca,
      issue: async ({ publicKey: _key, ...leaf }) => {
        issued.push(leaf)
        return 'a certificate'
      },
    },
    requestHeader: { header: HEADER },
    telemetry,
    log,
    ...changes,
  })
  return {
    cluster,
    lines,
    issued,
    /** Sends a request as a sidecar does; without `csr` it asks for no certificate. */
    ask: ({ token = TOKEN, csr }: { readonly token?: string; readonly csr?: string } = {}) =>
      identities.issue({ token, body: bodyOf(csr === undefined ? {} : { csr }), peer: PEER }),
    issue: identities.issue.bind(identities),
    /** The count of each outcome. */
    counts: async () => {
      const name = 'flux_metrics_webhook_certificates_total'
      const metric = await telemetry.registry.getSingleMetric(name)?.get()
      return Object.fromEntries(
        (metric?.values ?? []).map(({ labels, value }) => [String(labels.reason), value]),
      )
    },
  }
}

export async function bodyOf(value: unknown): Promise<Buffer> {
  return Buffer.from(JSON.stringify(value))
}

/** The certificate request of a sidecar. */
export const CSR = await createRequest({ names: dns(...NAMES) })

const PREFIX = 'Cannot issue an identity: '

/** The refusal of a request. Checks its log line and its count, that nothing was issued, and that no token is shown. */
export async function refusal(
  given: ReturnType<typeof setup>,
  request: { readonly token?: string | undefined; readonly csr?: string } = {},
) {
  const { token = TOKEN, csr = CSR } = request
  const refused = given.issue({
    token: 'token' in request ? request.token : token,
    body: bodyOf({ csr }),
    peer: PEER,
  })
  const status = await refused.then(
    () => assert.fail('an identity was issued'),
    (error: unknown) => error,
  )
  assert.ok(status instanceof Error && 'code' in status)
  const [line, ...more] = given.lines
  const { level, msg, why, outcome, ...who } = line ?? {}
  assert.deepEqual([level, msg, why, more], ['warn', 'identity refused', status.message, []])
  assert.deepEqual(await given.counts(), { [String(outcome)]: 1 })
  assert.deepEqual(given.issued, [])
  const shown = [status.message, status.stack, JSON.stringify(line)].join()
  assert.ok(token === '' || !shown.includes(token), 'the token is shown')
  assert.ok(status.message.startsWith(PREFIX))
  return { code: status.code, why: status.message.slice(PREFIX.length), outcome, who }
}
