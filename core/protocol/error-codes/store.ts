import type { ErrorSpec } from "./error-spec.ts";

/** Errors of the store: CLAW-4xxx. */
export const STORE_ERRORS = {
  "CLAW-4001": {
    title: "The store is in use by another process",
    remedy: "Stop that process, or send commands to it: claw verbs do so by themselves.",
    status: 409,
  },
  "CLAW-4002": {
    title: "The store file is damaged",
    remedy: "Run `claw doctor`, then restore the last backup.",
    status: 500,
  },
  "CLAW-4003": {
    title: "The store was written by a newer version",
    remedy: "Use at least the version named in the message.",
    status: 500,
  },
  "CLAW-4004": {
    title: "The disk of the store is full",
    remedy: "Free space; the process goes on by itself. Nothing acknowledged was lost.",
    status: 503,
    retryable: true,
  },
  "CLAW-4005": {
    title: "The store file is locked",
    remedy: "Another program has the database open for writing; close it.",
    status: 503,
    retryable: true,
  },
  "CLAW-4006": {
    title: "The outcome of the write is not known",
    remedy: "Send it again with the same idempotency key; the store is being reopened.",
    status: 503,
    retryable: true,
  },
  "CLAW-4007": {
    title: "This process no longer owns the store",
    remedy: "Another process took over; restart this one if it should own the store.",
    status: 503,
  },
  "CLAW-4008": {
    title: "This is not a store, or it cannot be opened",
    remedy: "Check what --store names and the permissions there; give it another store.",
    status: 500,
  },
  "CLAW-4009": {
    title: "The store refused this transition",
    remedy: "The run was failed so that others go on; report the details, they point at a bug.",
    status: 500,
  },
  "CLAW-4010": {
    title: "The backup cannot be written there",
    remedy: "Name a file that does not exist yet, in a folder that can be written.",
    status: 409,
  },
  "CLAW-4011": {
    title: "A stored value cannot be decoded",
    remedy:
      "Give the runtime the codec and the keys that it was stored with, then release the run.",
    status: 500,
  },
  "CLAW-4061": {
    title: "The export cannot be read",
    remedy:
      "Nothing was imported. Export the runs again, or copy the file again: it is cut or changed.",
    status: 400,
  },
  "CLAW-4062": {
    title: "The export was written by a newer version",
    remedy: "Nothing was imported. Import it with that version, or a later one, of this program.",
    status: 400,
  },
  "CLAW-4063": {
    title: "Another run of this id is in the store",
    remedy:
      "It was not imported. Export the others by name, or import the file into another store.",
    status: 409,
  },
  "CLAW-4064": {
    title: "The export is of another namespace",
    remedy:
      "Nothing was imported. Name the namespace that shall have the runs: --namespace, or intoOtherNamespace.",
    status: 409,
  },
  "CLAW-4065": {
    title: "A run is missing that another cannot do without",
    remedy:
      "Nothing was imported. Export the runs again with this version: it takes parents and children along.",
    status: 409,
  },
  "CLAW-4066": {
    title: "The export cannot be written there",
    remedy: "Name a file that does not exist yet, in a folder that can be written.",
    status: 409,
  },
  "CLAW-4067": {
    title: "A run of a key cannot join the key in this store",
    remedy:
      "Nothing was imported. Let the run end where it is, or import into a store without runs of that key.",
    status: 409,
  },
  "CLAW-4070": {
    title: "The database refused the login",
    remedy:
      "Check user and password (CLAW_STORE, PGPASSWORD or the password file) and the server's pg_hba.conf.",
    status: 500,
  },
  "CLAW-4071": {
    title: "The database does not exist",
    remedy: "Create it, encoded in UTF8, or name another one in the URL of the store.",
    status: 500,
  },
  "CLAW-4072": {
    title: "The user of the database lacks a right",
    remedy: "Grant it, or prepare the schema with another user: `claw roles` prints the SQL.",
    status: 500,
  },
  "CLAW-4073": {
    title: "The database only reads at the moment",
    remedy:
      "Name the primary in the URL of the store, or let the user write; reading verbs work here.",
    status: 503,
    retryable: true,
  },
  "CLAW-4074": {
    title: "The database has no connection left",
    remedy: "Raise max_connections or close others; a process that runs tries again by itself.",
    status: 503,
    retryable: true,
  },
  "CLAW-4075": {
    title: "The database cannot be reached",
    remedy:
      "Check that the server runs and is reached from here; a process that runs tries again by itself.",
    status: 503,
    retryable: true,
  },
  "CLAW-4076": {
    title: "The database took longer than it may",
    remedy: "Raise its timeout for this user, or find what blocks; the process goes on by itself.",
    status: 503,
    retryable: true,
  },
  "CLAW-4077": {
    title: "A pooler stands before the database",
    remedy: "Name the server itself in CLAW_STORE_DIRECT, for what needs a session of its own.",
    status: 500,
  },
  "CLAW-4078": {
    title: "The database is not fit for a store",
    remedy:
      'Use PostgreSQL 15 or later, a database encoded in UTF8, and "read committed" as default.',
    status: 500,
  },
  "CLAW-4079": {
    title: "Transactions stood in each other's way too often",
    remedy:
      "Nothing of the last one was written; the process goes on by itself. Find what else writes to the schema.",
    status: 503,
    retryable: true,
  },
} as const satisfies Record<string, ErrorSpec>;
