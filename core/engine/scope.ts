import { ClawError, encodeKey, limits } from "../protocol/index.ts";

/** How often each name was used in a scope. Most scopes use one: a map is made with the second. */
export class Names {
  #first = "";
  #used = 0;
  #others: Map<string, number> | null = null;

  get(name: string): number | undefined {
    return name === this.#first ? this.#used : this.#others?.get(name);
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  set(name: string, used: number): void {
    if (this.#first === "") this.#first = name;
    if (name === this.#first) {
      this.#used = used;
    } else {
      this.#others ??= new Map();
      this.#others.set(name, used);
    }
  }

  clear(): void {
    this.#first = "";
    this.#others = null;
  }
}

/** A part of a run's code with names of its own: the root, a branch, or a named scope. */
export interface Scope {
  /** Identity, ends with "/" unless it is the root (empty). */
  readonly path: string;
  readonly parent: Scope | null;
  readonly depth: number;
  /** Calls in here go on when the run is cancelled. */
  readonly shielded: boolean;
  /** How often each name was used; a keyed name counts as one of its own. */
  readonly names: Names;
  /** Set once the scope was closed: later calls in it are refused with this. */
  closed: Error | null;
}

/** The scope of a run's whole function. */
export function rootScope(): Scope {
  return { path: "", parent: null, depth: 0, shielded: false, names: new Names(), closed: null };
}

/**
 * A scope for what the kernel itself does in a run: shielded, outside of the root, under a path that no
 * name of an author can lead to.
 */
export function kernelScope(name: string): Scope {
  return { ...rootScope(), path: `/${name}/`, depth: 1, shielded: true };
}

/**
 * A scope inside another, known by its segment.
 * Errors: CLAW-1008 when nested too deeply, or when the branch of an index and a scope of that key
 * have one name: `x[0]` would be both.
 */
export function innerScope(parent: Scope, segment: string, shielded: boolean): Scope {
  checkDepth(parent);
  // "/" cannot stand in a name, so this meets no call.
  const claim = `${segment}/`;
  if (parent.names.has(claim)) {
    throw new ClawError("CLAW-1008", `The name or key of the scope "${segment}" is used twice`);
  }
  parent.names.set(claim, 1);
  return within(parent, parent.path + claim, shielded);
}

/**
 * The scope of one branch of a group: `segment` is the group's, `key` its index, or the author's key (encoded),
 * which the group has only once. Errors: as `innerScope`.
 */
export function branchScope(parent: Scope, segment: string, key: string | number): Scope {
  // Only a bare name can be that of a keyed scope as well; each other segment is used once.
  if (!/[#[]/.test(segment)) return innerScope(parent, `${segment}[${key}]`, false);
  checkDepth(parent);
  return within(parent, `${parent.path}${segment}[${key}]/`, false);
}

function within(parent: Scope, path: string, shielded: boolean): Scope {
  return {
    path,
    parent,
    depth: parent.depth + 1,
    shielded: parent.shielded || shielded,
    names: new Names(),
    closed: null,
  };
}

function checkDepth(parent: Scope): void {
  if (parent.depth >= limits.SCOPE_DEPTH_MAX) {
    throw new ClawError("CLAW-1008", `Scopes are nested deeper than ${limits.SCOPE_DEPTH_MAX}`);
  }
}

/**
 * The segment of the next use of a name in a scope: `name`, `name#1`, `name#2` ... in the order of asking,
 * or `name[key]`, which may be used once. Taken synchronously inside the ctx call. The caller has checked
 * the author's part of the name.
 * Errors: CLAW-1008 for a bad key or one used twice.
 */
export function nextSegment(scope: Scope, name: string, key?: string | number): string {
  if (key !== undefined) {
    const keyed = `${name}[${encodeKey(key)}]`;
    if (scope.names.has(keyed)) {
      throw new ClawError("CLAW-1008", `The key ${JSON.stringify(key)} of "${name}" is used twice`);
    }
    scope.names.set(keyed, 1);
    return keyed;
  }
  const used = scope.names.get(name) ?? 0;
  scope.names.set(name, used + 1);
  return used === 0 ? name : `${name}#${used}`;
}

/** True when `scope` is `outer` or lies in it. */
export function isWithin(scope: Scope, outer: Scope): boolean {
  let at: Scope | null = scope;
  while (at !== null && at.depth > outer.depth) at = at.parent;
  return at === outer;
}

/** The error that closed this scope or one around it; null while it is open. */
export function closedBy(scope: Scope): Error | null {
  for (let at: Scope | null = scope; at !== null; at = at.parent) {
    if (at.closed !== null) return at.closed;
  }
  return null;
}
