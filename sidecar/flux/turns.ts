// Long work in turns of the event loop: between two of them the process answers requests and probes.
import { setImmediate as endTurn } from 'node:timers/promises'

/** A list of more items begins with a turn of its own. */
const SHORT_LIST = 8

/** How long a turn may take: a tenth of what a client would notice, because other work shares it. */
const TURN_MS = 10

/** The result of `work` for each item, in order. */
export async function mapInTurns<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Result,
): Promise<Result[]> {
  const results: Result[] = []
  let turnEnds = items.length > SHORT_LIST ? 0 : performance.now() + TURN_MS
  for (const item of items) {
    if (performance.now() > turnEnds) {
      await endTurn()
      turnEnds = performance.now() + TURN_MS
    }
    results.push(work(item))
  }
  return results
}

/** Runs one piece of work after the other, each in a turn of its own. */
export class Turns {
  #last: Promise<void> = Promise.resolve()

  /** @param work must not throw */
  add(work: () => void): void {
    this.#last = this.#last.then(() => endTurn()).then(work)
  }
}

/** Ends the turn; what follows has one of its own. */
export async function nextTurn(): Promise<void> {
  await endTurn()
}
