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
  // What has arrived first is handled first: each is written before the next one begins.
  const connect = async (rank: number) => {
    const socket = createConnection({ port }).resume()
    t.after(() => socket.destroy())
    await new Promise((resolve) => socket.write(`rank ${rank}\n`, resolve))
    return socket
  }
  const up = async (rank: number) => {
    const isUp = once(ranks, 'up')
    const socket = await connect(rank)
    assert.deepEqual(await isUp, [rank])
    return socket
  }
  const old = await up(1)
  await connect(1)
  // When rank 2 is up, the younger connection of rank 1 was handled; when rank 3 is up, the end of the older one.
  await up(2)
  old.destroy()
  await once(old, 'close')
  await up(3)
  assert.deepEqual(downs, [])
})

test('a connection that never says its rank does not hold up a shutdown', async (t) => {
  const { lead, ranks, port } = await startLead(t)
  const silent = createConnection({ port }).resume()
  await once(silent, 'data')
  createConnection({ port }).resume().write('rank 1\n')
  await once(ranks, 'up')
  const closed = once(silent, 'close')
  await lead.shutdown()
  await closed
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
