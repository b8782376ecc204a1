/** Vite puts it into a file of its own, which is there before what imports it is drawn. */
declare module '*.css' {}
