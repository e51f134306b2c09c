// Connections over a real socket: handshake, refusals, and every kind of end.
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { type TestContext, test } from 'node:test'
import type { FluxError } from '#flux/errors.ts'
import {
  type Connection,
  type ConnectionHandlers,
  connect,
  socketPath,
} from '#flux/wire/connection.ts'
import { FLAG, type Message } from '#flux/wire/message.ts'
import { frameBytes, startScriptedBroker } from '../../support/scripted-broker.ts'
import { createSocketPath } from '../../support/socket-path.ts'

const EVENT = frameBytes({ type: 4, flags: 0, topic: 'heartbeat.pulse', aux1: 7 })
const ACCEPTED = Buffer.from([0])

/** Handlers that keep every message and every end. `end` resolves with the first reason. */
function createHandlers() {
  const messages: Message[] = []
  const ends: FluxError[] = []
  const end = Promise.withResolvers<FluxError>()
  const handlers: ConnectionHandlers = {
    onMessage: (message) => messages.push(message),
    onEnd: (reason) => {
      ends.push(reason)
      end.resolve(reason)
    },
  }
  return { handlers, messages, ends, end: end.promise }
}

async function connectTo(t: TestContext, path: string, handlers: ConnectionHandlers) {
  const connection: Connection = await connect(path, { handlers, timeoutMs: 10_000 })
  t.after(() => connection.close())
  return connection
}

function failToConnect(path: string): Promise<Connection> {
  return connect(path, { handlers: createHandlers().handlers, timeoutMs: 10_000 })
}

test('socketPath returns the path of a local URI', () => {
  assert.equal(
    socketPath('local:///mnt/flux/config/run/flux/local'),
    '/mnt/flux/config/run/flux/local',
  )
})

for (const uri of ['', '/run/flux/local', 'ssh://host/run/local', 'local://run', 'local:///a\0b']) {
  test(`socketPath rejects ${JSON.stringify(uri)}`, () => {
    assert.throws(() => socketPath(uri), {
      name: 'RangeError',
      message: `Cannot use Flux URI "${uri}": expected "local://" and an absolute path`,
    })
  })
}

test('socketPath accepts a path of 107 bytes and rejects one of 108', () => {
  const path = `/${'ü'.repeat(53)}`
  assert.equal(socketPath(`local://${path}`), path)
  assert.throws(() => socketPath(`local://${path}x`), RangeError)
})

test('connect takes the handshake and the first frame from one chunk', async (t) => {
  const path = await startScriptedBroker(t, (peer) => {
    peer.send(Buffer.concat([ACCEPTED, EVENT]))
    peer.hangUp()
  })
  const { handlers, messages, end } = createHandlers()
  await connectTo(t, path, handlers)
  await end
  assert.deepEqual(messages, [
    {
      type: 'event',
      flags: FLAG.topic,
      userid: 0,
      rolemask: 5,
      routes: [],
      topic: 'heartbeat.pulse',
      payload: undefined,
      sequence: 7,
    },
  ])
})

test('connect names both remedies for a refused UID', async (t) => {
  const path = await startScriptedBroker(t, (peer) => {
    peer.send(Buffer.from([1]))
    peer.hangUp()
  })
  await assert.rejects(failToConnect(path), {
    code: 'FLUX_CONNECT',
    errnum: 1,
    message:
      `Cannot connect to "${path}": the broker refuses UID ${process.getuid?.()} (EPERM); ` +
      'set allow-guest-user = true in the [access] table of its configuration, or run the sidecar with the UID ' +
      'of the broker (annotation flux-metrics/run-as-user)',
  })
})

test('connect fails when the broker hangs up before the handshake', async (t) => {
  const path = await startScriptedBroker(t, (peer) => peer.hangUp())
  await assert.rejects(failToConnect(path), {
    code: 'FLUX_CONNECT',
    errnum: undefined,
    message: `Cannot connect to "${path}": the broker closed the connection before it accepted the client`,
  })
})

test('connect fails if there is no socket', async (t) => {
  const path = await createSocketPath(t)
  await assert.rejects(failToConnect(path), {
    code: 'FLUX_CONNECT',
    message: `Cannot connect to "${path}": there is no socket yet`,
  })
})

test('connect fails on a socket that a killed broker left behind', async (t) => {
  const path = await createSocketPath(t)
  const broker = fork(`${import.meta.dirname}/../../support/killed-broker.ts`, [path])
  t.after(() => broker.kill('SIGKILL'))
  await once(broker, 'message')
  broker.kill('SIGKILL')
  await once(broker, 'exit')
  await assert.rejects(failToConnect(path), {
    code: 'FLUX_CONNECT',
    message: /a stopped broker left it behind/,
  })
})

test('connect fails on a file that is not a socket', async (t) => {
  const path = await createSocketPath(t)
  await writeFile(path, '')
  await assert.rejects(failToConnect(path), {
    code: 'FLUX_CONNECT',
    message: /or the file is not a socket/,
  })
})

test('connect keeps the error of the system as the cause', async (t) => {
  const path = await createSocketPath(t)
  const error = await failToConnect(path).then(
    () => undefined,
    (reason: FluxError) => reason,
  )
  assert.match(String(error?.cause), /ENOENT/)
})

test('connect fails if the broker does not answer in time', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const path = await startScriptedBroker(t, (peer) => {
    t.mock.timers.tick(500)
    return peer.expectEnd()
  })
  const { handlers } = createHandlers()
  await assert.rejects(connect(path, { handlers, timeoutMs: 500 }), {
    code: 'FLUX_TIMEOUT',
    message: `Cannot connect to "${path}": no answer in 500 ms`,
  })
})

test('connect does nothing if its signal is already aborted', async (t) => {
  const path = await startScriptedBroker(t)
  const signal = AbortSignal.abort(new Error('shutting down'))
  const { handlers } = createHandlers()
  await assert.rejects(connect(path, { handlers, timeoutMs: 500, signal }), {
    code: 'FLUX_CANCELLED',
    cause: signal.reason,
  })
})

test('connect fails when its signal is aborted while it waits', async (t) => {
  const controller = new AbortController()
  const path = await startScriptedBroker(t, (peer) => {
    controller.abort()
    return peer.expectEnd()
  })
  const { signal } = controller
  const { handlers } = createHandlers()
  await assert.rejects(connect(path, { handlers, timeoutMs: 10_000, signal }), {
    code: 'FLUX_CANCELLED',
  })
})

test('a connection reads a frame that arrives byte by byte', async (t) => {
  const path = await startScriptedBroker(t, async (peer) => {
    peer.accept()
    for (const byte of EVENT) await peer.flush(Buffer.from([byte]))
    peer.hangUp()
  })
  const { handlers, messages, end } = createHandlers()
  await connectTo(t, path, handlers)
  await end
  assert.deepEqual(
    messages.map(({ topic }) => topic),
    ['heartbeat.pulse'],
  )
})

test('a connection reports that the broker hung up', async (t) => {
  const path = await startScriptedBroker(t, (peer) => {
    peer.accept()
    peer.hangUp()
  })
  const { handlers, end } = createHandlers()
  await connectTo(t, path, handlers)
  const { code, message } = await end
  assert.deepEqual(
    [code, message],
    ['FLUX_DISCONNECTED', 'Lost the connection to the broker: the broker closed it'],
  )
})

test('a connection reports that the broker hung up in the middle of a frame', async (t) => {
  const path = await startScriptedBroker(t, (peer) => {
    peer.send(Buffer.concat([ACCEPTED, EVENT.subarray(0, 20)]))
    peer.hangUp()
  })
  const { handlers, end } = createHandlers()
  await connectTo(t, path, handlers)
  assert.match((await end).message, /: the broker closed it after 20 bytes of an incomplete frame$/)
})

test('garbage ends a connection with FLUX_PROTOCOL, once, and the messages before it are delivered', async (t) => {
  const path = await startScriptedBroker(t, (peer) => {
    peer.send(Buffer.concat([ACCEPTED, EVENT, Buffer.from('HTTP/1.1 400 Bad Request\r\n'), EVENT]))
    return peer.expectEnd()
  })
  const { handlers, messages, ends, end } = createHandlers()
  await connectTo(t, path, handlers)
  assert.equal((await end).code, 'FLUX_PROTOCOL')
  assert.deepEqual([messages.length, ends.length], [1, 1])
})

test('a malformed message in a correct frame ends a connection with FLUX_PROTOCOL', async (t) => {
  const broken = Buffer.from(EVENT)
  broken[broken.length - 20] = 0x8f
  const path = await startScriptedBroker(t, (peer) => {
    peer.send(Buffer.concat([ACCEPTED, broken]))
    return peer.expectEnd()
  })
  const { handlers, end } = createHandlers()
  await connectTo(t, path, handlers)
  assert.equal((await end).code, 'FLUX_PROTOCOL')
})

test('an error of onMessage ends the connection, not the process', async (t) => {
  const path = await startScriptedBroker(t, (peer) => {
    peer.send(Buffer.concat([ACCEPTED, EVENT]))
    return peer.expectEnd()
  })
  const { handlers, end } = createHandlers()
  const cause = new TypeError('defect')
  const onMessage = () => {
    throw cause
  }
  await connectTo(t, path, { ...handlers, onMessage })
  const reason = await end
  assert.deepEqual([reason.code, reason.cause], ['FLUX_PROTOCOL', cause])
})

test('close ends a connection at once with the given reason, and nothing is sent afterwards', async (t) => {
  const path = await startScriptedBroker(t, async (peer) => {
    peer.accept()
    await peer.expectEnd()
    assert.equal(peer.received.length, 0)
  })
  const { handlers, ends } = createHandlers()
  const connection = await connectTo(t, path, handlers)
  connection.close()
  assert.deepEqual(
    ends.map(({ code }) => code),
    ['FLUX_CANCELLED'],
  )
  connection.send({
    type: 'control',
    flags: 0,
    userid: 0,
    rolemask: 0,
    routes: [],
    topic: undefined,
    payload: undefined,
    controlType: 0,
    status: 0,
  })
})
