// Durations as users write them (`90s`, `5m`, `2h`, or a number of seconds), and as we print them. Pure.

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600 }

const TEXT = /^(\d+(?:\.\d+)?)([smh])$/

/** @returns seconds; `undefined` if the value is not a duration */
export function parseDuration(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value : undefined
  const [, amount, unit] = (typeof value === 'string' && TEXT.exec(value)) || []
  const seconds = UNITS[unit ?? '']
  return amount === undefined || seconds === undefined ? undefined : Number(amount) * seconds
}

/** `45 s`, `12 min`, `3 h 5 min`. */
export function formatDuration(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 120) return `${minutes} min`
  const rest = minutes % 60
  const hours = `${(minutes - rest) / 60} h`
  return rest === 0 ? hours : `${hours} ${rest} min`
}
