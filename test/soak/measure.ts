// What a process holds on to, measured inside it at a moment when nothing is in flight.
import { EventEmitter, getEventListeners } from 'node:events'
import { readdirSync } from 'node:fs'
import { Session } from 'node:inspector'

const MIB = 2 ** 20

/** After a collection of garbage. */
export interface Sample {
  /** Units of work so far. */
  readonly work: number
  readonly heapMiB: number
  /** Memory outside the heap that objects in it own. */
  readonly externalMiB: number
  readonly residentMiB: number
  /** Objects on the heap. */
  readonly objects: number
  /** Entries of all maps and sets. */
  readonly entries: number
  /** Listeners of all emitters and abort signals. */
  readonly listeners: number
  /** Timers, sockets, servers and requests that keep a process alive. */
  readonly handles: number
  readonly files: number
  readonly matchtags: number
}

declare global {
  /** For the inspector, which finds all objects on the heap and calls a function over them. */
  var countHeld: (objects: readonly object[]) => Held
}

/** What all objects on the heap hold. */
type Held = Pick<Sample, 'objects' | 'entries' | 'listeners'>

globalThis.countHeld = (objects) => {
  const held = { objects: objects.length, entries: 0, listeners: 0 }
  for (const object of objects) {
    // A prototype is an instance of what it inherits, but not of its own class.
    try {
      if (object instanceof Map || object instanceof Set) held.entries += object.size
      else held.listeners += listenersOf(object)
    } catch {}
  }
  return held
}

function listenersOf(object: object): number {
  if (object instanceof AbortSignal) return getEventListeners(object, 'abort').length
  if (!(object instanceof EventEmitter)) return 0
  return object.eventNames().reduce((count, name) => count + object.listenerCount(name), 0)
}

const session = new Session()
session.connect()

export function measure(work: number, matchtags: number): Sample {
  const held = findHeld()
  void globalThis.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  return {
    work,
    heapMiB: heapUsed / MIB,
    externalMiB: external / MIB,
    residentMiB: rss / MIB,
    ...held,
    handles: process.getActiveResourcesInfo().length,
    files: readdirSync('/proc/self/fd').length,
    matchtags,
  }
}

/** The inspector collects garbage first, and answers at once in the same thread. */
function findHeld(): Held {
  const objectGroup = 'soak'
  let held: Held | undefined
  session.post('Runtime.evaluate', { expression: 'Object.prototype', objectGroup }, (_, all) => {
    const query = { prototypeObjectId: all.result.objectId ?? '', objectGroup }
    session.post('Runtime.queryObjects', query, (_, { objects }) => {
      const objectId = objects.objectId ?? ''
      const functionDeclaration = 'function () { return countHeld(this) }'
      session.post(
        'Runtime.callFunctionOn',
        { objectId, functionDeclaration, returnByValue: true },
        (_, { result }) => {
          held = result.value
        },
      )
    })
  })
  session.post('Runtime.releaseObjectGroup', { objectGroup })
  if (held === undefined) throw new Error('The inspector did not find the objects on the heap')
  return held
}
