// What the tests of the doctor share: its cases, each on a MiniCluster that is mended, and the objects that they create.
import { withShared } from './cases.ts'
import { kubectl } from './kubectl.ts'
import { Patient } from './patient.ts'

/** Declares cases of a Patient. */
export function withPatient(
  title: string,
  cases: Readonly<Record<string, (patient: Patient) => Promise<void>>>,
): void {
  const mended = Object.entries(cases).map(([name, act]) => [
    name,
    async (patient: Patient) => {
      await patient.mend()
      await act(patient)
    },
  ])
  withShared(title, () => Patient.create(), Object.fromEntries(mended))
}

/** Creates an object with kubectl. */
export async function create(object: object): Promise<void> {
  const { code, stderr } = await kubectl(['create', '-f', '-'], JSON.stringify(object))
  if (code !== 0) throw new Error(`Cannot create: ${stderr.trim()}`)
}

/** As Secrets and CA bundles have it. */
export function encoded(pem: string): string {
  return Buffer.from(pem).toString('base64')
}

export function codesOf(findings: readonly { readonly code: string }[]): readonly string[] {
  return findings.map(({ code }) => code)
}
