// The gateway's bundle as its Deployment starts it, and what it finds in a cluster: an API server, the authority, a sidecar that is
// the real program, and the simulated ones of many MiniClusters.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sidecarNames } from '#serving/certificates/certificate-names.ts'
import { Instance } from '#simulation/instance.ts'
import { issueServingKeys } from '../../../webhook/authority/certificate-authority.ts'
import { METRICS_SERVICE } from '../../../webhook/contract.ts'
import { startBroker } from '../../support/broker.ts'
import { bundle } from '../../support/build.ts'
import { ask } from '../../support/https.ts'
import { readImageSettings } from '../../support/image-settings.ts'
import type { Bench } from '../bench.ts'
import { writeKubeconfig } from '../kubeconfig.ts'
import { freshAnswer } from '../metric-requests.ts'
import { freePort, type ServerProcess, startServer } from '../processes.ts'
import { BenchApiServer } from './api-server.ts'
import { type BenchAuthority, startAuthority } from './authority.ts'
import { type Fleet, startFleet } from './fleet.ts'
import { membersOf, metricPath, podOf } from './members.ts'

/** The MiniCluster of the real sidecar. */
const REAL = { namespace: 'default', minicluster: 'flux-sample' } as const

/** Users divide their nodes so. */
const QUEUES = { batch: [0, 1, 2, 3, 4, 5, 6, 7], debug: [8, 9], gpu: [10, 11, 12, 13, 14, 15] }

export interface World {
  readonly apiServer: BenchApiServer
  readonly gateway: ServerProcess
  readonly sidecar: ServerProcess
  readonly fleet: Fleet
  /** The metric of each simulated MiniCluster. */
  readonly paths: readonly string[]
  /** Asks the gateway's port of health. */
  health(path: string): Promise<{ readonly status: number; readonly text: string }>
  stop(): Promise<void>
}

export async function startWorld(bench: Bench, count: number): Promise<World> {
  const { tls, pair, folder } = bench
  const keys = {
    cert: await readFile(tls.TLS_CERT_FILE, 'utf8'),
    key: await readFile(tls.TLS_KEY_FILE, 'utf8'),
  }
  const apiServer = new BenchApiServer(keys)
  const authority = await startAuthority({
    keys,
    servingCa: await readFile(bench.servingCa, 'utf8'),
    frontProxyCa: await readFile(bench.clientCa, 'utf8'),
  })
  const { sidecar, stop: stopSidecar } = await startSidecar(bench, authority)
  const { text: page } = await ask(sidecar.port, '/metrics', { client: pair })
  const members = membersOf(count)
  const { ca, clients } = authority
  const fleet = await startFleet(folder, { ca, clients, members, page })
  for (const [index, member] of members.entries()) {
    apiServer.put(podOf(member, fleet.ports[index] ?? 0))
  }
  apiServer.put(podOf(REAL, sidecar.port))
  putSurroundings(apiServer)
  const { gateway, healthPort } = await startGateway(bench, authority, await apiServer.listen())
  const health = (path: string) => ask(healthPort, path, { plain: true })
  while ((await health('/readyz').catch(() => undefined))?.status !== 200) await sleep(50)
  return {
    ...{ apiServer, gateway, sidecar, fleet, health },
    paths: members.map(metricPath),
    stop: async () => {
      await gateway.stop()
      await fleet.stop()
      await stopSidecar()
      authority.close()
      apiServer.close()
    },
  }
}

async function startGateway(bench: Bench, authority: BenchAuthority, apiServer: string) {
  const { flags, env } = readImageSettings('gateway')
  const healthPort = await freePort()
  const tokenFile = join(bench.folder, 'token')
  await writeFile(tokenFile, 'header.claims.signature')
  const gateway = await startServer(await bundle('gateway', bench.folder), {
    flags,
    env: {
      ...env,
      HEALTH_PORT: String(healthPort),
      IDENTITY_URL: authority.url,
      IDENTITY_TOKEN_FILE: tokenFile,
      IDENTITY_CA: await readFile(bench.servingCa, 'utf8'),
      KUBECONFIG: await writeKubeconfig(bench, apiServer),
      LOG_LEVEL: 'warn',
    },
  })
  return { gateway, healthPort }
}

/** The program of the sidecar on a simulated broker. It answers the front proxy and the gateway. */
async function startSidecar(bench: Bench, { ca, clients }: BenchAuthority) {
  const { flags, env } = readImageSettings('sidecar')
  const { folder } = bench
  const path = join(folder, 'gateway-broker')
  const instance = new Instance({ maxSize: 16, coresPerNode: 8, queues: QUEUES })
  const broker = await startBroker({ path, instance, role: 'guest' })
  const names = sidecarNames({ ...REAL, serviceName: METRICS_SERVICE })
  const { cert, key } = await issueServingKeys(ca, names, Date.now())
  const write = async (name: string, text: string) => {
    await writeFile(join(folder, name), text)
    return join(folder, name)
  }
  const sidecar = await startServer(await bundle('sidecar', folder), {
    flags,
    env: {
      ...env,
      FLUX_URI: `local://${path}`,
      TLS_CERT_FILE: await write('sidecar.crt', cert),
      TLS_KEY_FILE: await write('sidecar.key', key),
      CLIENT_CA_FILE: await write('clients.crt', clients.clientCa),
      CLIENT_ALLOWED_NAMES: clients.allowedNames.join(),
      LOG_LEVEL: 'warn',
    },
  })
  await freshAnswer(sidecar.port, bench)
  const stop = async () => {
    await sidecar.stop()
    await broker.close()
  }
  return { sidecar, stop }
}

/** What the gateway needs to publish itself. */
function putSurroundings(apiServer: BenchApiServer): void {
  const name = 'flux-metrics-gateway'
  apiServer.put({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name, uid: 'uid-of-the-role' },
  })
  apiServer.put({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name,
      namespace: 'flux-metrics',
      labels: { 'kubernetes.io/service-name': name },
    },
    endpoints: [{ conditions: { ready: true } }],
  })
}
