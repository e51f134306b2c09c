// Quantities (resource.Quantity) as the HPA controller reads them: whole thousandths in 64 bits. Pure.

/** `-1.5`, `.5`, `250m`, `1Ki`, `12e6`; `1E` is 10^18, `1E3` is 1000. */
const QUANTITY =
  /^([+-]?)(?=\.?\d)(\d*)(?:\.(\d*))?(?:([numkMGTPE]?)|([KMGTPE])i|[eE]([+-]?\d{1,3}))$/

const DECIMAL_EXPONENTS: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
}

const BINARY_EXPONENTS: Readonly<Record<string, bigint>> = {
  K: 10n,
  M: 20n,
  G: 30n,
  T: 40n,
  P: 50n,
  E: 60n,
}

/**
 * A quantity in thousandths; finer parts are rounded away from zero. A quantity that does not fit into 64 bits wraps around,
 * or is read as 0 if it is written with a large suffix.
 *
 * @throws RangeError if the text is no quantity
 */
export function toMilli(quantity: string | number): number {
  return Number(BigInt.asIntN(64, scaled(quantity, 3)))
}

/**
 * A quantity as floating-point number: the digits of its canonical form times a power of ten. The last bit may differ from
 * the number that JavaScript reads from the same text. Parts finer than 10^-9 are rounded away from zero.
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
  const [, sign, integer = '', fraction = '', suffix = '', binary = '', exponent] = match
  const digits = BigInt(integer + fraction) << (BINARY_EXPONENTS[binary] ?? 0n)
  const decimal = exponent === undefined ? (DECIMAL_EXPONENTS[suffix] ?? 0) : Number(exponent)
  const power = decimal - fraction.length + places
  const amount =
    power >= 0 ? digits * 10n ** BigInt(power) : divideUp(digits, 10n ** BigInt(-power))
  return sign === '-' ? -amount : amount
}

function divideUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor
}
