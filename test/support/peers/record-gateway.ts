// Records what the gateway of a checkout asks a sidecar. Copy this folder into the checkout's test/support, and run there:
//   node test/support/peers/record-gateway.ts COMMIT 2>test/recordings/peers/gateway-COMMIT.json
import { test } from 'node:test'
import { SidecarGauges } from '../../../webhook/gateway/scraping/sidecar-gauges.ts'
import { certify, podOf, serve, setup } from '../../webhook/gateway/asking/fleet.ts'
import { serveRoutes } from '../../webhook/gateway/routing/served.ts'
import { memoryLog } from '../memory-log.ts'
import { type GatewayRecording, PATHS, type PeerRequest, RECORDED } from './peer-recordings.ts'

test('records', async (t) => {
  const sent = new Map<string, PeerRequest>()
  const { port } = await serve(t, await certify(RECORDED), ({ url = '', headers }, response) => {
    const texts = Object.entries(headers).map(([name, value]) => [name, String(value)])
    const request = { path: url, headers: Object.fromEntries(texts) }
    sent.set(JSON.stringify(request), request)
    response.writeHead(503).end()
  })
  const { asking, peers } = setup(t, { pods: [podOf(RECORDED, port)] })
  const { get } = await serveRoutes(t, {
    miniclusters: [`${RECORDED.namespace}/${RECORDED.minicluster}`],
    answer: (question) => asking.ask(question),
  })
  for (const path of PATHS) await get(path)
  await new SidecarGauges({ peers, sidecars: asking, log: memoryLog().log }).render()
  const recording: GatewayRecording = {
    how: `test/support/peers/record-gateway.ts in a checkout of ${process.argv[2]}`,
    requests: [...sent.values()],
  }
  process.stderr.write(`${JSON.stringify(recording, undefined, 2)}\n`)
})
