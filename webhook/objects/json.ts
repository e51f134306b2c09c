// A part of an object that is made here, as JSON. Its form is Kubernetes', and is not checked.
export type Json = Readonly<Record<string, unknown>>
