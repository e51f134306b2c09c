// Kubernetes quantities of containers, read from text. Knows only the forms that people use for containers. Pure.
const SUFFIXES: Readonly<Record<string, number>> = {
  '': 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
}

/** The value of a quantity; `undefined` for a form that is not used for containers. */
export function parseQuantity(text: string): number | undefined {
  const match = /^(\d{1,15}(?:\.\d{1,9})?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(text)
  if (match === null) return undefined
  const factor = SUFFIXES[match[2] ?? '']
  return factor === undefined ? undefined : Number(match[1]) * factor
}

/** Whether `a` is more than `b`; false if one of them cannot be read. */
export function isMore(a: string, b: string): boolean {
  return (parseQuantity(a) ?? Number.NaN) > (parseQuantity(b) ?? Number.NaN)
}
