"""From frames to a file: MP4 at every step, or a small GIF; both in real time."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from PIL import Image

from must.errors import RenderError
from must.files import write_atomically
from must.render.film import Film, Frame

GIF_EVERY = 4
"""Steps between two frames of a GIF: 50 ms, of which a GIF counts hundredths of a second."""
GIF_FRAMES = 80
"""Most frames of a GIF; a longer episode has fewer a second."""
GIF_COLOURS = 256
GIF_LAST_SECONDS = 1.5
"""The last frame stays, so that one sees where the episode ended before it starts again."""
MP4_QUALITY = "23"
"""x264's constant rate factor: 0 is lossless, 51 is worst."""


def write_clip(out: Path, film: Film) -> None:
    """Film the episode, and write the clip as a whole or not at all.

    Raises:
        RenderError: The encoder failed.
    """
    content = _mp4(film) if out.suffix.lower() == ".mp4" else _gif(film)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(out, lambda file: file.write(content))


def _mp4(film: Film) -> bytes:
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "clip.mp4")
        try:
            encoder = imageio_ffmpeg.write_frames(
                str(path),
                film.size,
                fps=1 / film.step_seconds,
                codec="libx264",
                quality=None,
                macro_block_size=2,
                ffmpeg_log_level="error",
                output_params=["-crf", MP4_QUALITY, "-movflags", "+faststart"],
            )
            encoder.send(None)
            for frame in film.frames():
                encoder.send(np.ascontiguousarray(frame))
            encoder.close()
            return path.read_bytes()
        except (OSError, RuntimeError) as error:
            raise RenderError(f"ffmpeg cannot encode the clip: {error}; give --out the ending .gif") from None


def _gif(film: Film) -> bytes:
    every = GIF_EVERY * -(-film.horizon // (GIF_EVERY * GIF_FRAMES))
    frames = list(film.frames(every))
    palette = _palette(frames)
    # One palette for all, and no dithering: what does not move stays the same pixel for pixel, and takes no space.
    pictures = [Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    pause = round(1000 * every * film.step_seconds)
    durations = [pause] * (len(pictures) - 1) + [round(1000 * GIF_LAST_SECONDS)]
    buffer = io.BytesIO()
    first, *others = pictures
    first.save(buffer, "GIF", save_all=True, append_images=others, duration=durations, loop=0)
    return buffer.getvalue()


def _palette(frames: list[Frame]) -> Image.Image:
    """Choose colours that do for the start, the middle and the end of an episode, and for small bright things too."""
    shown = np.concatenate([frames[0], frames[len(frames) // 2], frames[-1]])
    return Image.fromarray(shown).quantize(colors=GIF_COLOURS, method=Image.Quantize.FASTOCTREE)
