// Kubernetes quantities (apimachinery `resource.Quantity`), exactly: in thousandths, to which Kubernetes rounds the amounts of
// containers up. Pure.

const POWERS_OF_TEN: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
}

const POWERS_OF_1024 = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']

/** Digits and exponents are bounded, because users write them. The largest amount of Kubernetes has 19 digits. */
const FORM = /^\+?(\d{0,30})(?:\.(\d{0,30}))?(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,2}))?$/

/** The amount in thousandths, rounded up; `undefined` for anything that is not an amount of a container. */
export function parseQuantity(text: string): bigint | undefined {
  const match = FORM.exec(text)
  if (match === null) return undefined
  const [, whole = '', fraction = '', suffix = '', exponent = '0'] = match
  if (whole === '' && fraction === '') return undefined
  const digits = BigInt(whole + fraction)
  const binary = POWERS_OF_1024.indexOf(suffix) + 1
  if (binary > 0) return scale(digits * 1024n ** BigInt(binary), 3 - fraction.length)
  return scale(digits, 3 + (POWERS_OF_TEN[suffix] ?? 0) + Number(exponent) - fraction.length)
}

/** `value` × 10^`power`, rounded up. */
function scale(value: bigint, power: number): bigint {
  if (power >= 0) return value * 10n ** BigInt(power)
  return ceilDivide(value, 10n ** BigInt(-power))
}

export function ceilDivide(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor
}

/** The shortest usual form: `25m` of CPUs, `64Mi` of bytes. */
export function formatQuantity(resource: string, thousandths: bigint): string {
  if (thousandths % 1000n !== 0n) return `${thousandths}m`
  const whole = thousandths / 1000n
  if (resource === 'cpu' || whole === 0n) return `${whole}`
  const power = POWERS_OF_1024.findLastIndex(
    (_, index) => whole % 1024n ** BigInt(index + 1) === 0n,
  )
  return power < 0 ? `${whole}` : `${whole / 1024n ** BigInt(power + 1)}${POWERS_OF_1024[power]}`
}

/** Whether `a` is more than `b`; false if one of them cannot be read. */
export function isMore(a: string, b: string): boolean {
  const [left, right] = [parseQuantity(a), parseQuantity(b)]
  return left !== undefined && right !== undefined && left > right
}
