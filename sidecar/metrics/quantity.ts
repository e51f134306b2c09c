// Writes numbers in the canonical decimal form of Kubernetes, resource.Quantity. How the HPA controller reads quantities is in
// webhook/cli/hpa-controller/milli-value.ts.

/**
 * The largest number that an HPA can read. It counts in thousandths as int64, so a number over 9.223e15 wraps around to 0 or
 * less, and the HPA scales down.
 */
export const MAX_QUANTITY = 9_200_000_000_000_000

/** Up to {@link MAX_QUANTITY}: none is as large as 1E. */
const SUFFIXES = ['m', '', 'k', 'M', 'G', 'T', 'P'] as const

/**
 * Formats a number ≥ 0 as a canonical resource.Quantity, DecimalSI: the largest suffix that leaves an integer
 * (`1000` → `1k`, `1500` → `1500`, `0.5` → `500m`). Fractions of a thousandth are rounded up, as the HPA rounds them, so that
 * a value above 0 is never written as 0. A value over {@link MAX_QUANTITY} is written as that limit.
 *
 * @throws RangeError if the value is negative, infinite or not a number: no quantity stands for it
 */
export function formatQuantity(value: number): string {
  if (!Number.isFinite(value) || value < 0) {
    throw new RangeError(`Cannot format quantity: expected a number of 0 or more, got ${value}`)
  }
  let amount = toThousandths(Math.min(value, MAX_QUANTITY))
  if (amount === 0n) return '0'
  let power = 0
  while (amount % 1000n === 0n) {
    amount /= 1000n
    power += 1
  }
  return `${amount}${SUFFIXES[power]}`
}

/** Works on the decimal text of the number, because 4.35 × 1000 is 4350.000000000001 and would round up to 4351. */
function toThousandths(value: number): bigint {
  if (value === 0) return 0n
  if (value < 0.001) return 1n
  const [integer = '0', fraction = ''] = String(value).split('.')
  const thousandths = BigInt(integer + fraction.slice(0, 3).padEnd(3, '0'))
  return fraction.length > 3 ? thousandths + 1n : thousandths
}
