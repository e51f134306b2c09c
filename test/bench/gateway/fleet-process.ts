// A process with the sidecars of many MiniClusters, each an HTTPS server of this project with a certificate of its own. Their answers
// are ready-made. Some of them hang on request: they accept a question and never answer it.
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { sidecarNames } from '#serving/certificates/certificate-names.ts'
import { HttpsServer } from '#serving/https/server.ts'
import { createLogger } from '#serving/log.ts'
import { issueServingKeys } from '../../../webhook/authority/certificate-authority.ts'
import { METRICS_SERVICE } from '../../../webhook/contract.ts'
import type { MiniClusterName } from '../../../webhook/gateway/peers/peer.ts'
import { bodyFor } from './answers.ts'
import type { FleetInput } from './fleet.ts'

const input: FleetInput = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'))
const { ca, clients, members, page } = input
const log = createLogger('fatal')

/** How many hang, the first ones. */
let hanging = 0

async function start(member: MiniClusterName, index: number): Promise<number> {
  const names = sidecarNames({ ...member, serviceName: METRICS_SERVICE })
  const body = bodyFor(member)
  const server = new HttpsServer({
    handler: (request: IncomingMessage, response: ServerResponse) => {
      if (index < hanging) return
      const isPage = request.url === '/metrics'
      const type = isPage ? 'text/plain; version=0.0.4; charset=utf-8' : 'application/json'
      const text = isPage ? page : body
      response.setHeader('Content-Type', type)
      response.setHeader('Content-Length', Buffer.byteLength(text))
      response.end(text)
    },
    credentials: {
      ...(await issueServingKeys(ca, names, Date.now())),
      clientCa: clients.clientCa,
    },
    knowsClient: () => true,
    log,
  })
  return (await server.listen({ address: '127.0.0.1', port: 0 })).port
}

process.on('message', (message: { readonly hanging: number }) => {
  hanging = message.hanging
})
process.on('disconnect', () => process.exit(0))
const ports: number[] = []
for (const [index, member] of members.entries()) ports.push(await start(member, index))
process.send?.({ ports })
