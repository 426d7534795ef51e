// What comes from outside of the script: the data file, the worker, pixels of pictures. All of it works on file://.

import { make } from "./dom.js";

/** Load the data file, a classic script that calls ``paulExplorerData``. @param {string} folder @returns {Promise<{header: any, buffer: ArrayBuffer}>} */
export function loadData(folder) {
  return new Promise((resolve, reject) => {
    Object.assign(window, {
      paulExplorerData: (/** @type {any} */ header, /** @type {string} */ text) => {
        const letters = atob(text), bytes = new Uint8Array(letters.length);
        for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
        resolve({ header, buffer: bytes.buffer });
      },
    });
    const script = make("script", null, { src: `${folder}data.js` });
    script.addEventListener("error", () => reject(new Error("its data file is missing. Build the book again, or load the page again.")));
    document.head.append(script);
  });
}

/** A worker of this very script, which has no file of its own. @param {string} program @returns {Worker} */
export function startWorker(program) {
  return new Worker(URL.createObjectURL(new Blob([`(${program})().work(self);`], { type: "text/javascript" })));
}

/** The pixels of a place: (256, 128, 3). @param {string} address */
export async function placePixels(address) {
  const image = new Image();
  image.src = address;
  await image.decode();
  const pen = make("canvas", null, { width: 128, height: 256 }).getContext("2d", { willReadFrequently: true });
  pen.drawImage(image, 0, 0);
  return Uint8Array.from(pen.getImageData(0, 0, 128, 256).data.filter((/** @type {number} */ _, /** @type {number} */ i) => i % 4 < 3));
}

/** The pixels of one crop of the sheet. @param {ImageBitmap} sheet @param {number} columns @param {number} place @returns {ImageData} */
export function pixelsOf(sheet, columns, place) {
  const pen = make("canvas", null, { width: 64, height: 128 }).getContext("2d", { willReadFrequently: true });
  pen.drawImage(sheet, 64 * (place % columns), 128 * Math.floor(place / columns), 64, 128, 0, 0, 64, 128);
  return pen.getImageData(0, 0, 64, 128);
}
