/** The header of an answer that was kept, as the service is out of reach. */
export const KEPT = "X-Kept";
