// Numbers as Kubernetes writes them, resource.Quantity: out of numbers in its canonical decimal form, and read as the HPA
// reads them. Knows nothing of metrics.

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

/** `-1.5`, `.5`, `250m`, `1Ki`, `12e6`; `1E` is 10^18, `1E3` is 1000. */
const QUANTITY =
  /^([+-]?)(?=\.?\d)(\d*)(?:\.(\d*))?(?:([numkMGTPE]?)|([KMGTPE])i|[eE]([+-]?\d{1,3}))$/

const DECIMAL_EXPONENT: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  ...Object.fromEntries(SUFFIXES.map((suffix, index) => [suffix, 3 * (index - 1)])),
}

const BINARY_EXPONENT: Readonly<Record<string, bigint>> = Object.fromEntries(
  ['K', 'M', 'G', 'T', 'P', 'E'].map((prefix, index) => [prefix, BigInt(10 * (index + 1))]),
)

/**
 * Thousandths of a quantity as the HPA counts them: whole ones, what is finer rounded away from zero. What int64 cannot
 * hold wraps around (or reads 0, spelled with a large suffix).
 *
 * @throws RangeError if the text is no quantity
 */
export function toMilli(quantity: string | number): number {
  return Number(BigInt.asIntN(64, scaled(quantity, 3)))
}

/**
 * A quantity as floating-point number: its digits times a power of ten as its canonical form spells them, which may differ
 * in the last bit from the number nearest to it. What is finer than 10^-9 is rounded away from zero.
 *
 * @throws RangeError if the text is no quantity
 */
export function toFloat(quantity: string | number): number {
  const nano = scaled(quantity, 9)
  const places = [0, 3, 6].find((digits) => nano % 10n ** BigInt(9 - digits) === 0n) ?? 9
  return Number(nano / 10n ** BigInt(9 - places)) * Number(`1e-${places}`)
}

/** The quantity times 10^`places`, rounded away from zero. */
function scaled(quantity: string | number, places: number): bigint {
  const match = QUANTITY.exec(String(quantity))
  if (match === null) throw new RangeError(`Cannot read quantity "${quantity}"`)
  const [, sign, integer = '', fraction = '', suffix = '', binary, exponent] = match
  const decimal = exponent === undefined ? DECIMAL_EXPONENT[suffix] : Number(exponent)
  const digits = BigInt(integer + fraction) << (BINARY_EXPONENT[binary ?? ''] ?? 0n)
  const power = (decimal ?? 0) - fraction.length + places
  const amount =
    power >= 0 ? digits * 10n ** BigInt(power) : divideUp(digits, 10n ** BigInt(-power))
  return sign === '-' ? -amount : amount
}

function divideUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor
}
