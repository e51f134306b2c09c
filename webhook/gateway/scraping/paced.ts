// Does the same for many, a few at a time. Those that are slow to answer do not hold up the others: more are begun meanwhile.

export interface Pace {
  /** How many are begun at a time while all are prompt. */
  readonly prompt: number
  /** How many at most, when others are slow. */
  readonly most: number
  /** Who takes longer is slow. */
  readonly slowMs: number
}

/** @param act never rejects */
export async function paced<Item>(
  items: readonly Item[],
  { prompt, most, slowMs }: Pace,
  act: (item: Item) => Promise<void>,
): Promise<void> {
  const waiting = items.values()
  const workers: Promise<void>[] = []
  let working = 0
  const work = async () => {
    working += 1
    for (const item of waiting) {
      let isReplaced = false
      const timer = setTimeout(() => {
        isReplaced = working < most
        if (isReplaced) workers.push(work())
      }, slowMs)
      await act(item)
      clearTimeout(timer)
      if (isReplaced) break
    }
    working -= 1
  }
  for (let worker = 0; worker < prompt; worker += 1) workers.push(work())
  // Others are added while it waits for the first.
  for (const worker of workers) await worker
}
