// The overlay network over TCP.
import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { createConnection } from 'node:net'
import { type TestContext, test } from 'node:test'
import { follow, Lead } from './overlay.ts'

interface Ranks {
  up: [rank: number]
  down: [rank: number]
}

async function startLead(t: TestContext, port = 0) {
  const ranks = new EventEmitter<Ranks>()
  const lead = new Lead({
    onUp: (rank) => ranks.emit('up', rank),
    onDown: (rank) => ranks.emit('down', rank),
  })
  t.after(() => lead.shutdown())
  return { lead, ranks, port: await lead.listen(port) }
}

test('a rank is up while it is connected', async (t) => {
  const { ranks, port } = await startLead(t)
  const socket = createConnection({ port })
  socket.resume().write('rank 3\n')
  assert.deepEqual(await once(ranks, 'up'), [3])
  socket.destroy()
  assert.deepEqual(await once(ranks, 'down'), [3])
})

test('a rank with two connections stays up when one of them ends', async (t) => {
  const { ranks, port } = await startLead(t)
  const downs: number[] = []
  ranks.on('down', (rank) => downs.push(rank))
  const connect = (rank: number) => {
    const socket = createConnection({ port })
    socket.resume().write(`rank ${rank}\n`)
    return socket
  }
  const old = connect(1)
  await once(ranks, 'up')
  connect(1)
  connect(2)
  await once(ranks, 'up')
  old.destroy()
  await once(old, 'close')
  // Events are handled in order: when rank 3 is up, the end of the old connection was handled.
  connect(3)
  await once(ranks, 'up')
  assert.deepEqual(downs, [])
})

test('a follower ends when the lead sends shutdown', async (t) => {
  const { lead, ranks, port } = await startLead(t)
  const following = follow({ host: '127.0.0.1', port, rank: 2, log: () => {} })
  await once(ranks, 'up')
  await lead.shutdown()
  await following
})

test('a follower finds a lead that starts later', async (t) => {
  const first = await startLead(t)
  await first.lead.shutdown()
  const { port } = first
  const log = new EventEmitter<{ line: [string] }>()
  const lines: string[] = []
  log.on('line', (line) => lines.push(line))
  const following = follow({
    host: '127.0.0.1',
    port,
    rank: 2,
    log: (line) => log.emit('line', line),
  })
  await once(log, 'line')
  const second = await startLead(t, port)
  assert.deepEqual(await once(second.ranks, 'up'), [2])
  await second.lead.shutdown()
  await following
  assert.deepEqual(lines, [
    'no connection to 127.0.0.1: trying again',
    'connected to 127.0.0.1 as rank 2',
  ])
})
