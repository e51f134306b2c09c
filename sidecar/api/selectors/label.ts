// The syntax of label keys and values in Kubernetes. Pure.

/** Labels of an object or of a metric series. It is a map because `constructor` is a valid key. */
export type Labels = ReadonlyMap<string, string>

export const NO_LABELS: Labels = new Map()

const NAME = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/
const SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/

const MAX_NAME_LENGTH = 63
const MAX_SUBDOMAIN_LENGTH = 253

/** Whether `text` is a qualified name: `name`, or `prefix/name` with a DNS subdomain (RFC 1123) as prefix. */
export function isLabelKey(text: string): boolean {
  const slash = text.indexOf('/')
  const prefix = slash < 0 ? undefined : text.slice(0, slash)
  return isName(text.slice(slash + 1)) && (prefix === undefined || isSubdomain(prefix))
}

/** Whether `text` is a label value: empty, or up to 63 letters, digits, `-`, `_`, `.`, alphanumeric at both ends. */
export function isLabelValue(text: string): boolean {
  return text === '' || isName(text)
}

function isName(text: string): boolean {
  return text.length <= MAX_NAME_LENGTH && NAME.test(text)
}

function isSubdomain(text: string): boolean {
  return text.length <= MAX_SUBDOMAIN_LENGTH && SUBDOMAIN.test(text)
}
