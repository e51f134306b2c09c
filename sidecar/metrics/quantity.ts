// Numbers as Kubernetes writes them, resource.Quantity, in its canonical decimal form. Knows nothing of metrics; how an HPA
// reads them is hpa/quantity.ts's business.

/**
 * The largest number an HPA understands. It counts in thousandths as int64, so anything over 9.223e15 wraps around,
 * reads as zero or less and scales down.
 */
export const MAX_QUANTITY = 9_200_000_000_000_000

const SUFFIXES = ['m', '', 'k', 'M', 'G', 'T', 'P', 'E'] as const

/**
 * Formats a number ≥ 0 as a canonical resource.Quantity, DecimalSI: the largest suffix that leaves an integer
 * (`1000` → `1k`, `1500` → `1500`, `0.5` → `500m`). Thousandths are the finest; what is finer is rounded up, as the
 * HPA would, so that something never reads as nothing. Over {@link MAX_QUANTITY} the value is that limit.
 *
 * @throws RangeError if the value is negative, infinite or not a number: there is no honest quantity for it
 */
export function formatQuantity(value: number): string {
  if (!Number.isFinite(value) || value < 0) {
    throw new RangeError(`Cannot format quantity: expected a number of 0 or more, got ${value}`)
  }
  let amount = toThousandths(Math.min(value, MAX_QUANTITY))
  if (amount === 0n) return '0'
  let power = 0
  while (amount % 1000n === 0n && power < SUFFIXES.length - 1) {
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
