/* A module of no interest. */
int module_number;
