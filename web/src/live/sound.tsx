import { useEffect, useState } from "react";
import { preferences, usePreferences } from "../app/preferences";
import { isAccepted, type Occurrence } from "../events/words";
import { Button } from "../ui/ui";
import type { EventFeed } from "./feeds";
import styles from "./sound.module.css";

/** The tones of a sound, in Hertz, one after the other. */
const tones = { accepted: [659, 880], paid: [988, 784] };
type Sound = keyof typeof tones;

const TONE_SECONDS = 0.16;
const LOUDNESS = 0.2;

/** The sound for events that came together: the best of them. */
function soundOf(events: readonly Occurrence[]): Sound | undefined {
  if (events.some(isAccepted)) return "accepted";
  return events.some(({ kind }) => kind === "PROPOSAL_PAYMENT_RECEIVED") ? "paid" : undefined;
}

let context: AudioContext | undefined;

function audio(): AudioContext {
  context ??= new AudioContext();
  return context;
}

function play(sound: Sound) {
  const { currentTime, destination } = audio();
  for (const [index, frequency] of tones[sound].entries()) {
    const tone = new OscillatorNode(audio(), { type: "sine", frequency });
    const volume = new GainNode(audio(), { gain: 0 });
    const [begin, end] = [currentTime + index * TONE_SECONDS, currentTime + (index + 1) * TONE_SECONDS];
    // A tone that begins or ends at once clicks.
    volume.gain.setValueAtTime(0, begin);
    volume.gain.linearRampToValueAtTime(LOUDNESS, begin + 0.02);
    volume.gain.linearRampToValueAtTime(0, end);
    tone.connect(volume).connect(destination);
    tone.start(begin);
    tone.stop(end);
  }
}

/** Switches sound on or off. Call it in the handler of a click: browsers let a page sound after one alone. */
export function setSound(isOn: boolean) {
  preferences.set({ sound: isOn });
  if (isOn)
    void audio()
      .resume()
      .then(() => play("accepted"));
}

/** Sounds for what is accepted and paid while the preference is on. After a reload the browser may wait for a click first. */
export function SoundOf({ feed }: { feed: EventFeed | undefined }) {
  const { sound: isOn } = usePreferences();
  const [isWaiting, setWaiting] = useState(false);
  useEffect(() => {
    if (!isOn) return;
    const opened = audio();
    const update = () => setWaiting(opened.state === "suspended");
    update();
    opened.addEventListener("statechange", update);
    // Any click or key will do.
    const resume = () => void opened.resume();
    addEventListener("pointerdown", resume);
    addEventListener("keydown", resume);
    const unfollow = feed?.follow((events) => {
      // Paused means quiet. Many events of one moment sound once.
      if (feed.snapshot().phase === "paused" || opened.state !== "running") return;
      const sound = soundOf(events);
      if (sound) play(sound);
    });
    return () => {
      unfollow?.();
      opened.removeEventListener("statechange", update);
      removeEventListener("pointerdown", resume);
      removeEventListener("keydown", resume);
    };
  }, [isOn, feed]);
  if (!isOn || !isWaiting) return null;
  return (
    <p className={styles.waiting}>
      <Button onClick={() => void audio().resume()}>Sound waits for a click</Button>
    </p>
  );
}
