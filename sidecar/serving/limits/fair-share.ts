// An amount that many share, such as memory: each may take as much as it leaves free. One that takes all it can leaves the others
// half, two of them a third, and so on. Waits for nothing.

export class FairShare {
  readonly #total: number
  readonly #amounts = new Map<string, number>()
  #used = 0

  constructor(total: number) {
    this.#total = total
  }

  get used(): number {
    return this.#used
  }

  /** @returns whether there was as much for the key: of a total of one, the first takes all */
  take(key: string, amount: number): boolean {
    const free = this.#total - this.#used - amount
    if (free < 0 || (this.#amounts.get(key) ?? 0) + amount > free + 1) return false
    this.#change(key, amount)
    return true
  }

  /** What was taken is free again. */
  giveBack(key: string, amount: number): void {
    this.#change(key, -amount)
  }

  #change(key: string, change: number): void {
    const amount = (this.#amounts.get(key) ?? 0) + change
    if (amount === 0) this.#amounts.delete(key)
    else this.#amounts.set(key, amount)
    this.#used += change
  }
}
