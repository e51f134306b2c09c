// Waits for work no longer than its asker may. The work goes on, for the next asker.

/**
 * @param deadline in milliseconds of `performance.now()`
 * @returns `undefined` if the work was not done by then
 */
export async function untilDeadline<T>(work: Promise<T>, deadline: number): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => resolve(undefined), Math.max(deadline - performance.now(), 0))
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}
