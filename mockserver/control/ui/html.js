// The libraries that every view uses, and stores: values that redraw what shows them. Content of requests is only ever
// a child or an attribute of an element, so it is always text; nothing here sets HTML.
import { h, render } from "./vendor/preact.js";
import htm from "./vendor/htm.js";
import { useCallback, useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from "./vendor/hooks.js";

export { render, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState };
export const html = htm.bind(h);

/** Returns a store; `set` takes the fields that change. */
export function createStore(state) {
  const listeners = new Set();
  return {
    get: () => state,
    set(change) {
      state = { ...state, ...change };
      for (const listener of [...listeners]) listener();
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Returns the state of a store, and redraws the component when it changes. */
export function useStore(store) {
  const [, redraw] = useReducer((count) => count + 1, 0);
  useLayoutEffect(() => store.listen(redraw), [store]);
  return store.get();
}

/**
 * Returns what `load(signal)` resolves to, its error, and `reload`, which resolves when it is loaded again.
 * The old value stays while a new one is loaded.
 */
export function useLoad(load, inputs) {
  const [state, setState] = useState({ value: undefined, error: null });
  const [turn, setTurn] = useState(0);
  const waiting = useRef([]);
  useEffect(() => {
    const abort = new AbortController();
    const settle = (next) => {
      if (abort.signal.aborted) return;
      setState(next);
      for (const resolve of waiting.current.splice(0)) resolve();
    };
    load(abort.signal).then((value) => settle({ value, error: null }), (error) => settle({ value: undefined, error }));
    return () => abort.abort();
  }, [...inputs, turn]);
  const reload = useCallback(() => new Promise((resolve) => {
    waiting.current.push(resolve);
    setTurn((count) => count + 1);
  }), []);
  return { ...state, reload };
}

/** Returns a setting as it is, or as it is wanted while `change` is under way, and the function that changes it. */
export function useWanted(value, change) {
  const [wanted, setWanted] = useState(undefined);
  const want = (next) => {
    setWanted(next);
    return change(next).finally(() => setWanted(undefined));
  };
  return [wanted ?? value, want];
}

/** Calls `act` every `seconds` while the page is visible. */
export function useInterval(act, seconds) {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    const timer = setInterval(() => document.hidden || latest.current(), 1000 * seconds);
    return () => clearInterval(timer);
  }, [seconds]);
}
