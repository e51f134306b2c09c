// Whatever is behind an address, its answer takes little memory.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:https'
import { test } from 'node:test'
import { httpsGet } from '../../../../../webhook/cli/input/cluster/https-get.ts'
import { createAuthority } from '../../../../support/certificates.ts'

test('of an answer that never ends little is read', async (t) => {
  const authority = await createAuthority('test')
  const keys = await authority.issue({ commonName: 'sidecar', dns: ['localhost'] })
  const piece = Buffer.alloc(2 ** 20, 'x')
  let sent = 0
  const server = createServer(keys, (_request, response) => {
    const more = () => {
      // It ends at last, so that the test ends without the bound.
      sent += 1
      if (sent > 64) response.end()
      else response.write(piece, more)
    }
    response.on('error', () => {})
    more()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const url = new URL(`https://localhost:${port}/explain`)
  const answer = await httpsGet(url, { accept: '*/*', ca: authority.cert, insecure: false })
  const reason = `localhost:${port} answers more than 8 MiB: is it a sidecar?`
  assert.deepEqual(answer, { kind: 'failure', reason })
  assert.ok(sent < 60)
})
